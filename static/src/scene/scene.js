// The structure in 3D, without a framework: give it a host element and a model (model.js), tell it what to show,
// and listen to "hover", "choose", "open", "lost" and "restored". It draws when something changed, and only then.
import {
  DirectionalLight,
  HemisphereLight,
  Scene,
  SRGBColorSpace,
  TextureLoader,
  Vector3,
  WebGLRenderer,
} from "three";
import { Building, roomBox, slabBox } from "./building.js";
import { Items } from "./items.js";
import { Labels } from "./labels.js";
import { boundsOf, floorY, layOut, OPEN_ROOM, ROOM, roomHeight, WALL } from "./layout.js";
import { Motion } from "./motion.js";
import { isHidden, nearest } from "./picking.js";
import { FloorPlan } from "./plan.js";
import { Rig } from "./rig.js";
import { colourOf, mix, parse, STATE_COLOURS, sharesOf } from "./scales.js";
import { takeSnapshot } from "./snapshot.js";
import { readTheme } from "./theme.js";

const FLAT = 0.2;
const MAX_OVERVIEW_NAMES = 60;
const KEYS = {
  ArrowLeft: [0.14, 0],
  ArrowRight: [-0.14, 0],
  ArrowUp: [0, 0.1],
  ArrowDown: [0, -0.1],
};
const LIFT = 9;

/** Whether this browser draws WebGL at all. */
export function canDraw() {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  } catch {
    return false;
  }
}

export class Structure extends EventTarget {
  /** host: an element with a size. label: what the view is, for those who do not see it. */
  constructor(host, { label = "", explode = 0.22 } = {}) {
    super();
    this.host = host;
    this.frames = 0;
    this.state = { explode, lift: 0, open: 0 };
    this.measure = "courses";
    this.chosen = null;
    this.lit = null;
    this.found = null;
    this.ways = null;
    this.listening = new AbortController();
    this.motion = new Motion();
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true, powerPreference: "default" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.canvas = this.renderer.domElement;
    Object.assign(this.canvas, { tabIndex: 0, className: "scene-canvas" });
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    host.append(this.canvas);
    this.labels = new Labels(host);
    this.rig = new Rig(this.canvas, () => {
      this.isOwnView = true;
      this.motion.stop("view");
      this.invalidate();
    });
    this.scene = new Scene();
    this.scene.add(new HemisphereLight("#ffffff", "#b9c4c0", 2.1));
    this.sun = new DirectionalLight("#fff6e6", 1.5);
    this.sun.position.set(5, 12, 8);
    this.scene.add(this.sun);
    this.theme = readTheme(host);
    this.listen();
  }

  // ------------------------------------------------------------------------------------------ what is shown

  /** Show this model; the view and the chosen floor stay when they are still there. */
  setModel(model) {
    const chosen = this.chosen?.source.key;
    const isFirst = !this.plan;
    this.clear();
    this.plan = layOut(model);
    for (const floor of this.plan.floors) Object.assign(floor, { y: 0, shown: 1 });
    this.building = new Building(this.plan);
    this.scene.add(this.building.group);
    this.chosen = this.plan.floors.find((floor) => floor.source.key === chosen) ?? null;
    this.applyMeasure({ glide: false });
    this.resize();
    if (isFirst) this.rig.view = this.wantedView();
    this.invalidate();
  }

  /** Colour and height by this measure; "mine" by the learner's own progress, "state" by the parts' states. */
  setMeasure(measure) {
    this.measure = measure;
    if (this.plan) this.applyMeasure({ glide: true });
  }

  /** How far a learner is: {positions: {id: {done, favourite}}, courses: {id: done}}. */
  setWays(ways) {
    this.ways = ways;
    if (this.plan) this.applyMeasure({ glide: false });
  }

  /** Add measures to the rooms: {position id: {name: value}}. */
  setValues(rooms) {
    for (const room of this.plan.rooms) Object.assign(room.source.values, rooms[room.source.id]);
    this.applyMeasure({ glide: true });
  }

  setExplode(explode) {
    this.motion.start("explode", this.state, { explode });
    if (!this.chosen) this.motion.start("view", this.rig.view, this.wholeView(explode));
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
    this.chosen = floor;
    Object.assign(this.state, { lift: 0, open: 0 });
    if (floor) this.motion.start("lift", this.state, { lift: 1, open: 1 });
    this.goTo(floor ? this.floorView(floor) : this.wholeView());
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
    const room = this.plan?.rooms.find((each) => each.source.key === key) ?? null;
    if (room === this.lit) return;
    this.lit = room;
    this.invalidate();
  }

  /** Fly to a room on its floor. */
  visit(key) {
    const room = this.plan?.rooms.find((each) => each.source.key === key);
    if (!room) return;
    this.choose(room.floor.source.key);
    Object.assign(this, { lit: room, visited: room });
    this.goTo(this.roomView(room));
  }

  /** Keep bright what holds these words, fade the rest; the keys of the rooms found, null without words. */
  search(words) {
    const wanted = words.trim().toLowerCase();
    const holds = (text) => text.toLowerCase().includes(wanted);
    const rooms = new Set(
      wanted
        ? this.plan.rooms.filter((r) => holds(r.source.name) || holds(r.floor.source.name))
        : [],
    );
    for (const thing of this.items?.things ?? [])
      if (wanted && holds(thing.item.title)) rooms.add(thing.room);
    this.found = wanted ? rooms : null;
    this.repaint();
    return wanted ? [...rooms].map((room) => room.source.key) : null;
  }

  /** The whole house again. */
  showAll() {
    this.choose(null);
    this.goTo(this.wholeView());
  }

  /** Stand a loaded building model around the house; null takes it away. */
  setBackdrop(model) {
    if (this.backdrop) this.scene.remove(this.backdrop);
    this.backdrop = model;
    if (model) this.scene.add(model);
    this.invalidate();
  }

  async snapshot() {
    this.draw();
    return takeSnapshot(this.canvas, this.labels.shown, this.theme);
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
    if (!this.plan || this.isLost) return;
    this.rig.apply();
    this.arrange();
    this.renderer.render(this.scene, this.rig.camera);
    this.frames += 1;
    this.host.dataset.frames = this.frames;
    this.placeLabels();
  }

  /** Bring floors and rooms to where the present moment of all movements has them. */
  arrange() {
    const { explode, lift, open } = this.state;
    for (const floor of this.plan.floors) {
      const isAbove =
        this.chosen && floor.wing === this.chosen.wing && floor.level > this.chosen.level;
      floor.y = floorY(floor, explode) + (isAbove ? lift * LIFT : 0);
      floor.shown = isAbove ? Math.max(0, 1 - lift) : 1;
      const isOpen = floor === this.chosen && open > 0.5;
      for (const room of floor.rooms) Object.assign(room, { open: isOpen, lit: this.isMine(room) });
    }
    this.building.place();
    this.building.glow(this.lit?.floor.shown ? glowBox(this.lit) : null);
    this.items?.follow(this.rig.camera.position, this.rig.pixelsPerMetre);
    this.floorPlan?.follow();
  }

  applyMeasure({ glide }) {
    const rooms = this.plan.rooms;
    for (const room of rooms) {
      const way = this.ways?.positions[room.source.id];
      room.source.values.mine = way ? way.done : null;
    }
    const { shares, largest } = sharesOf(rooms, this.measure === "state" ? "load" : this.measure);
    this.largest = largest;
    rooms.forEach((room, i) => {
      room.share = shares[i];
      const height = roomHeight(shares[i]);
      if (glide) this.motion.start(`height ${i}`, room, { height });
      else room.height = height;
    });
    this.repaint();
  }

  repaint() {
    if (!this.plan) return;
    const { theme } = this;
    this.building.paint({
      theme,
      roomColour: (room) => this.roomColour(room),
      slabColour: (floor) => {
        const tinted = mix(parse(theme.slab), parse(floor.source.colour), theme.tint);
        return this.isFaded(floor) ? mix(tinted, parse(theme.faded), 0.75) : tinted;
      },
    });
    this.items?.paint((thing) => this.itemColour(thing), parse(theme.sheet));
    this.invalidate();
  }

  roomColour(room) {
    if (this.found && !this.found.has(room)) return parse(this.theme.faded);
    const own = this.ownColour(room);
    return this.isFaded(room.floor) ? mix(own, parse(this.theme.faded), 0.8) : own;
  }

  ownColour(room) {
    if (this.measure === "state") return parse(STATE_COLOURS[room.source.state]);
    return room.share === null ? parse(this.theme.unknown) : colourOf(room.share, this.theme.dark);
  }

  itemColour({ item, room }) {
    if (this.found && !this.found.has(room)) return parse(this.theme.faded);
    const done = this.ways?.courses[item.id] ?? 0;
    if (done > 0)
      return mix(parse(room.floor.source.colour), parse(this.theme.lit), 0.4 + done * 0.6);
    return mix(parse(room.floor.source.colour), parse(this.theme.slab), 0.28);
  }

  isFaded(floor) {
    return Boolean(this.chosen) && floor !== this.chosen;
  }

  isMine(room) {
    return Boolean(this.ways?.positions[room.source.id]);
  }

  // ----------------------------------------------------------------------------------------------- labels

  placeLabels() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    this.labels.place(this.wantedLabels(width, height), width, height);
  }

  wantedLabels(width, height) {
    const { camera, view } = this.rig;
    const eye = camera.position.toArray();
    const spot = (x, y, z) => {
      const point = new Vector3(x, y, z).project(camera);
      return point.z > 1 ? null : [((point.x + 1) / 2) * width, ((1 - point.y) / 2) * height];
    };
    const labels = [];
    const add = (at, label) => at && labels.push({ ...label, x: at[0], y: at[1] });
    if (this.lit?.floor.shown) add(spot(...topOf(this.lit)), this.roomLabel(this.lit, true));
    if (!this.chosen)
      for (const wing of this.plan.wings)
        if (wing.source.name)
          add(spot(wing.x, this.topOfWing(wing), wing.z - wing.depth / 2), {
            key: `wing ${wing.source.key}`,
            text: wing.source.name,
            kind: "wing",
            anchor: "middle",
          });
    for (const floor of this.plan.floors)
      if (floor.shown > 0.5 && (!this.chosen || floor === this.chosen))
        add(this.leftmost(floor, spot), {
          key: `floor ${floor.source.key}`,
          text: floor.source.name,
          kind: "floor",
          anchor: "end",
        });
    if (view.phi > FLAT)
      for (const room of this.namedRooms(eye)) add(spot(...topOf(room)), this.roomLabel(room));
    return labels;
  }

  /** The rooms whose names may be shown: in sight, the nearest first. */
  namedRooms(eye) {
    const rooms = this.chosen ? this.chosen.rooms : this.plan.rooms;
    if (rooms.length > MAX_OVERVIEW_NAMES && !this.chosen) return [];
    const walls = this.solids();
    const distance = (room) => Math.hypot(room.x - eye[0], room.floor.y - eye[1], room.z - eye[2]);
    return rooms
      .filter((room) => room.floor.shown && room !== this.lit)
      .filter((room) => !isHidden(topOf(room), eye, walls, (each) => each.room === room))
      .sort((a, b) => distance(a) - distance(b));
  }

  roomLabel(room, lit = false) {
    const { key, name, lang } = room.source;
    return { key, text: name, lang, kind: "room", anchor: "middle", lit };
  }

  topOfWing(wing) {
    const floors = this.plan.floors.filter((floor) => floor.wing === wing);
    return Math.max(...floors.map((floor) => floor.y)) + 1.7;
  }

  leftmost(floor, spot) {
    const { wing } = floor;
    const corners = [-1, 1].flatMap((sx) =>
      [-1, 1].map((sz) =>
        spot(wing.x + (sx * wing.width) / 2, floor.y, wing.z + (sz * wing.depth) / 2),
      ),
    );
    return corners.filter(Boolean).sort((a, b) => a[0] - b[0])[0];
  }

  // ---------------------------------------------------------------------------------------------- picking

  /** What is under the pointer: {kind: "item" | "room" | "floor", ...}, or null. */
  pick(clientX, clientY) {
    if (!this.plan) return null;
    const frame = this.canvas.getBoundingClientRect();
    const x = ((clientX - frame.left) / frame.width) * 2 - 1;
    const y = 1 - ((clientY - frame.top) / frame.height) * 2;
    const { camera } = this.rig;
    const direction = new Vector3(x, y, 0.5).unproject(camera).sub(camera.position).normalize();
    const things = [...this.solids(), ...(this.items?.boxes() ?? [])];
    return nearest(things, camera.position.toArray(), direction.toArray());
  }

  solids() {
    const floors = this.plan.floors.filter((floor) => floor.shown > 0.5);
    return floors.flatMap((floor) => [
      { kind: "floor", floor, box: slabBox(floor) },
      ...floor.rooms.map((room) => ({ kind: "room", room, floor, box: roomBox(room) })),
    ]);
  }

  hover(event) {
    if (event.pointerType === "touch" || this.rig.pointers.size) return;
    const thing = this.pick(event.clientX, event.clientY);
    const room = thing?.room ?? null;
    this.canvas.style.cursor = thing ? "pointer" : "grab";
    if (room !== this.lit) {
      this.lit = room;
      this.invalidate();
    }
    this.say("hover", {
      thing,
      room: room?.source.key ?? null,
      x: event.clientX,
      y: event.clientY,
    });
  }

  click(event) {
    if (this.rig.moved > 6) return;
    const thing = this.pick(event.clientX, event.clientY);
    if (thing) this.act(thing);
  }

  /** What a click does: on the chosen floor it opens, elsewhere it goes there. */
  act(thing) {
    const floor = thing.floor ?? thing.room.floor;
    if (floor !== this.chosen) {
      this.choose(floor.source.key);
      if (thing.room) this.lit = thing.room;
    } else if (thing.kind === "item") this.say("open", { item: thing.item.id });
    else if (thing.kind === "room" && thing.room.source.url)
      this.say("open", { url: thing.room.source.url });
  }

  key(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const turn = KEYS[event.key];
    if (turn) this.rig.turn(...turn);
    else if (event.key === "+" || event.key === "=") this.rig.zoom(0.85);
    else if (event.key === "-") this.rig.zoom(1.18);
    else if (event.key === "Escape" || event.key === "Home") this.showAll();
    else if (event.key === "PageUp" || event.key === "PageDown") this.nextFloor(event.key);
    else if (event.key === "Enter") this.enter();
    else return;
    event.preventDefault();
  }

  nextFloor(key) {
    const { floors } = this.plan;
    if (!floors.length) return;
    const step = key === "PageDown" ? 1 : -1;
    const at = this.chosen ? this.chosen.index : step > 0 ? -1 : 0;
    this.choose(floors[(at + step + floors.length) % floors.length].source.key);
  }

  enter() {
    if (this.lit) this.act({ kind: "room", room: this.lit, floor: this.lit.floor });
    else if (this.chosen?.rooms.length) {
      this.lit = this.chosen.rooms[0];
      this.invalidate();
    }
  }

  // ------------------------------------------------------------------------------------------------ views

  wholeView(explode = this.state.explode) {
    const bounds = boundsOf(this.plan.wings, explode);
    bounds.max[1] += 0.6;
    return this.rig.fit(bounds, { theta: 0.5, phi: 0.42 });
  }

  floorView(floor) {
    const { wing } = floor;
    const y = floorY(floor, this.state.explode);
    return this.rig.fit(
      {
        min: [wing.x - wing.width / 2, y, wing.z - wing.depth / 2],
        max: [wing.x + wing.width / 2, y + 0.8, wing.z + wing.depth / 2],
      },
      { theta: 0.5, phi: 0.82 },
    );
  }

  roomView(room) {
    const y = floorY(room.floor, this.state.explode);
    const near = ROOM * 1.4;
    return this.rig.fit(
      { min: [room.x - near, y, room.z - near], max: [room.x + near, y + 0.9, room.z + near] },
      { theta: 0.5, phi: 0.78 },
    );
  }

  wantedView() {
    if (this.visited?.floor === this.chosen && this.visited) return this.roomView(this.visited);
    return this.chosen ? this.floorView(this.chosen) : this.wholeView();
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
    const on = (target, name, handler) => target.addEventListener(name, handler, { signal });
    this.rig.listen(signal);
    on(this.canvas, "pointermove", (event) => this.hover(event));
    on(this.canvas, "pointerleave", () => this.leave());
    on(this.canvas, "click", (event) => this.click(event));
    on(this.canvas, "keydown", (event) => this.key(event));
    on(this.canvas, "webglcontextlost", (event) => {
      event.preventDefault();
      this.isLost = true;
      this.say("lost");
    });
    on(this.canvas, "webglcontextrestored", () => {
      this.isLost = false;
      this.invalidate();
      this.say("restored");
    });
    on(document, "theme:change", () => {
      this.theme = readTheme(this.host);
      this.repaint();
    });
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.host);
  }

  leave() {
    if (this.lit) {
      this.lit = null;
      this.invalidate();
    }
    this.say("hover", { thing: null, room: null });
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height || !this.plan) return;
    const ratio = Math.min(2, devicePixelRatio || 1);
    this.renderer.setPixelRatio(ratio);
    this.renderer.setSize(width, height);
    this.rig.camera.aspect = width / height;
    // What she has turned herself stays; else the whole has to fit the new frame.
    if (!this.isOwnView) {
      this.motion.stop("view");
      this.rig.view = this.wantedView();
    }
    this.invalidate();
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
    Object.assign(this, { items: null, floorPlan: null, lit: null, found: null });
  }

  /** Leave nothing behind: no context, no listener, no canvas. */
  dispose() {
    this.listening.abort();
    this.sizes.disconnect();
    cancelAnimationFrame(this.waiting);
    this.clear();
    this.labels.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}

/** Where a room's name hangs: over its roof, or over the back wall of an open one. */
function topOf(room) {
  const box = roomBox(room);
  if (room.open) return [box.x, box.y + WALL, box.z - ROOM / 2];
  return [box.x, box.y + box.h, box.z];
}

function glowBox(room) {
  const box = roomBox(room);
  return room.open ? { ...box, h: OPEN_ROOM } : box;
}
