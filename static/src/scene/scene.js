// The structure in 3D, without a framework: give it a host element and a model (model.js), tell it what to show,
// and listen to "hover", "walk", "choose", "open", "lost" and "restored". It draws when something changed, and only
// then.
import { Scene, TextureLoader } from "three";
import { arrange, goalOf } from "./arrange.js";
import { Building } from "./building.js";
import { Hand } from "./hand.js";
import { Items } from "./items.js";
import { Labels } from "./labels.js";
import { boundsOf, layOut } from "./layout.js";
import { Motion } from "./motion.js";
import { wantedNames } from "./names.js";
import { Palette } from "./palette.js";
import { FloorPlan } from "./plan.js";
import { Rig } from "./rig.js";
import { parse } from "./scales.js";
import { takeSnapshot } from "./snapshot.js";
import { Stage } from "./stage.js";
import { readTheme } from "./theme.js";
import { floorView, houseView, roomView } from "./views.js";
import { Walk } from "./walking.js";

export class Structure extends EventTarget {
  /**
   * host: an element with a size. label: what the view is, for those who do not see it. avoid: an element over it
   * that names must not cover.
   */
  constructor(host, { label = "", explode = 0.22, avoid = null } = {}) {
    super();
    this.host = host;
    this.frames = 0;
    this.state = { explode };
    this.chosen = null;
    this.lit = null;
    this.listening = new AbortController();
    this.motion = new Motion();
    this.stage = new Stage(host, label);
    this.canvas = this.stage.canvas;
    this.labels = new Labels(host, avoid);
    this.rig = new Rig(this.canvas, () => {
      this.isOwnView = true;
      this.motion.stop("view");
      this.invalidate();
    });
    this.scene = new Scene();
    this.palette = new Palette(readTheme(host));
    this.walk = new Walk(this);
    this.hand = new Hand(this, this.listening.signal);
    this.listen();
  }

  // ------------------------------------------------------------------------------------------ what is shown

  /** Show this model; the view, the chosen floor and room stay when they are still there. */
  setModel(model) {
    const chosen = this.chosen?.source.key;
    const walked = this.walk.room?.source.key;
    const isFirst = !this.plan;
    this.clear();
    this.plan = layOut(model);
    this.building = new Building(this.plan);
    this.scene.add(this.building.group);
    this.chosen = this.plan.floors.find((floor) => floor.source.key === chosen) ?? null;
    this.walk.room = this.roomOf(walked);
    this.lit = this.walk.room;
    for (const floor of this.plan.floors) Object.assign(floor, goalOf(floor, this.chosen));
    this.weigh({ glide: false });
    this.resize();
    if (isFirst) this.rig.view = this.wantedView();
    this.invalidate();
  }

  /** Colour and height by this measure; "mine" by the learner's own progress, "state" by the parts' states. */
  setMeasure(measure) {
    this.palette.measure = measure;
    if (this.plan) this.weigh({ glide: true });
  }

  /** How far a learner is: {positions: {id: {done, favourite}}, courses: {id: done}}. */
  setWays(ways) {
    this.palette.ways = ways;
    if (this.plan) this.weigh({ glide: false });
  }

  /** Add measures to the rooms: {position id: {name: value}}. */
  setValues(rooms) {
    for (const room of this.plan.rooms) Object.assign(room.source.values, rooms[room.source.id]);
    this.weigh({ glide: true });
  }

  setExplode(explode) {
    this.motion.start("explode", this.state, { explode });
    if (!this.chosen)
      this.motion.start("view", this.rig.view, houseView(this.rig, this.plan, explode));
    this.invalidate();
  }

  /** Go to a floor: those above it lift off, its rooms open. null: the whole house. */
  choose(key) {
    const floor = this.plan?.floors.find((each) => each.source.key === String(key)) ?? null;
    if (floor === this.chosen) return;
    this.setItems(null, []);
    this.floorPlan?.dispose();
    this.floorPlan = null;
    this.visited = null;
    this.walk.to(null);
    this.chosen = floor;
    for (const each of this.plan.floors)
      this.motion.start(`floor ${each.index}`, each, goalOf(each, floor));
    this.goTo(this.wantedView());
    this.repaint();
    this.say("choose", { key: floor?.source.key ?? null, id: floor?.source.id ?? null });
  }

  hasFloor(key) {
    return this.plan?.floors.some((floor) => floor.source.key === key) ?? false;
  }

  /** Put the courses of the chosen floor into its rooms: [{room, id, title, videos}]. */
  setItems(floorKey, items) {
    this.items?.dispose();
    this.items = null;
    if (floorKey !== null && this.chosen?.source.key === String(floorKey)) {
      this.items = new Items(this.chosen, items);
      this.scene.add(this.items.group);
      this.repaint();
    }
    this.invalidate();
  }

  /** Show the picture of the chosen floor on its slab. */
  async setPlan(url) {
    const floor = this.chosen;
    const texture = await new TextureLoader().loadAsync(url);
    if (this.chosen !== floor || this.listening.signal.aborted) return texture.dispose();
    this.floorPlan?.dispose();
    this.floorPlan = new FloorPlan(floor, texture, this.scene);
    this.invalidate();
  }

  /** Light up a room (its key), or none; from the list beside. */
  highlight(key) {
    this.light(this.roomOf(key));
  }

  light(room) {
    const lit = room ?? this.walk.room;
    if (lit === this.lit) return;
    this.lit = lit;
    this.invalidate();
  }

  /** Fly to a room on its floor. */
  visit(key) {
    const room = this.roomOf(key);
    if (!room) return;
    this.choose(room.floor.source.key);
    this.visited = room;
    this.light(room);
    this.goTo(this.wantedView());
  }

  /** Keep bright the rooms of these keys, and the courses that hold the words; fade the rest. null: all bright. */
  showFound(keys, words = []) {
    const rooms = new Set(keys?.map((key) => this.roomOf(key)));
    const holds = (title) => words.every((word) => title.toLowerCase().includes(word));
    this.palette.found = keys && { rooms, holds };
    this.repaint();
  }

  /** The whole house again. */
  showAll() {
    this.choose(null);
    this.goTo(this.wantedView());
  }

  /** Stand a loaded building model (backdrop.js) around the house. */
  setBackdrop(backdrop) {
    this.backdrop?.dispose();
    this.backdrop = backdrop;
    this.scene.add(backdrop.group);
    this.invalidate();
  }

  async snapshot() {
    this.draw();
    return takeSnapshot(this.canvas, this.labels.shown, this.palette.theme);
  }

  /** How large the house is on the ground. */
  get ground() {
    const { min, max } = boundsOf(this.plan.wings, 0);
    return { width: max[0] - min[0], depth: max[2] - min[2] };
  }

  // --------------------------------------------------------------------------------------------- drawing

  /** Draw in the next frame; as often as it is called before that, once. */
  invalidate() {
    if (this.waiting || this.listening.signal.aborted) return;
    this.waiting = requestAnimationFrame((now) => {
      this.waiting = 0;
      const moving = this.motion.step(now);
      this.draw();
      if (moving) this.invalidate();
    });
  }

  draw() {
    if (!this.plan || this.stage.isLost) return;
    this.rig.apply();
    this.arrange();
    this.stage.renderer.render(this.scene, this.rig.camera);
    this.frames += 1;
    this.host.dataset.frames = this.frames;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.labels.place(wantedNames(this, width, height), width, height);
  }

  arrange() {
    const { palette, chosen, lit } = this;
    const isMine = (room) => palette.isMine(room);
    const perMetre = this.rig.pixelsPerMetre;
    arrange(this.plan, { explode: this.state.explode, chosen, isMine, perMetre });
    this.building.place();
    this.building.glow(lit?.shown ? lit : null);
    this.items?.follow(this.rig.camera.position, perMetre);
    this.floorPlan?.follow();
  }

  weigh({ glide }) {
    const { rooms } = this.plan;
    const { heights, largest } = this.palette.weigh(rooms);
    this.largest = largest;
    rooms.forEach((room, i) => {
      if (glide) this.motion.start(`height ${i}`, room, { height: heights[i] });
      else room.height = heights[i];
    });
    this.repaint();
  }

  repaint() {
    if (!this.plan) return;
    const { palette, chosen } = this;
    this.building.paint({
      theme: palette.theme,
      roomColour: (room) => palette.roomColour(room, chosen),
      slabColour: (floor) => palette.slabColour(floor, chosen),
    });
    this.items?.paint((thing) => palette.itemColour(thing), parse(palette.theme.sheet));
    this.invalidate();
  }

  wantedView() {
    const { rig, plan, chosen, visited, state } = this;
    if (visited) return roomView(rig, visited, state.explode);
    if (chosen) return floorView(rig, chosen, state.explode);
    return houseView(rig, plan, state.explode);
  }

  goTo(view) {
    this.isOwnView = false;
    // The short way round.
    const turn = this.rig.view.theta - view.theta;
    this.rig.view.theta -= Math.round(turn / (2 * Math.PI)) * 2 * Math.PI;
    this.motion.start("view", this.rig.view, view, 700);
    this.invalidate();
  }

  // --------------------------------------------------------------------------------------------- lifetime

  listen() {
    const { signal } = this.listening;
    this.stage.listen(signal, {
      resized: () => this.resize(),
      lost: () => this.say("lost"),
      restored: () => {
        this.invalidate();
        this.say("restored");
      },
    });
    const changeTheme = () => {
      this.palette.theme = readTheme(this.host);
      this.repaint();
    };
    document.addEventListener("theme:change", changeTheme, { signal });
  }

  resize() {
    const aspect = this.plan ? this.stage.fit() : null;
    if (!aspect) return;
    this.rig.camera.aspect = aspect;
    // What she has turned herself stays; else the whole has to fit the new frame.
    if (!this.isOwnView) {
      this.motion.stop("view");
      this.rig.view = this.wantedView();
    }
    this.invalidate();
  }

  roomOf(key) {
    return this.plan?.rooms.find((room) => room.source.key === key) ?? null;
  }

  say(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  clear() {
    this.items?.dispose();
    this.floorPlan?.dispose();
    this.building?.group.removeFromParent();
    this.building?.dispose();
    this.labels.clear();
    this.palette.found = null;
    Object.assign(this, { items: null, floorPlan: null, lit: null, visited: null });
  }

  /** Leave nothing behind: no context, no listener, no canvas. */
  dispose() {
    this.listening.abort();
    cancelAnimationFrame(this.waiting);
    this.clear();
    this.backdrop?.dispose();
    this.labels.dispose();
    this.stage.dispose();
  }
}
