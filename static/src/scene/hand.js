// The visitor's hand: pointer and keys on the canvas, as what they mean to the structure. On a chosen floor the
// arrow keys walk from room to room and turn only with Shift.
import { Vector3 } from "three";
import { solidsOf } from "./building.js";
import { nearest } from "./picking.js";

const TURNS = {
  ArrowLeft: [0.14, 0],
  ArrowRight: [-0.14, 0],
  ArrowUp: [0, 0.1],
  ArrowDown: [0, -0.1],
};
const ZOOMS = { "+": 0.85, "=": 0.85, "-": 1.18 };
// A pointer that moved further than this many pixels was dragging, not clicking.
const STILL = 6;

export class Hand {
  /** structure: what it acts on; signal: when to let go. */
  constructor(structure, signal) {
    this.structure = structure;
    this.rig = structure.rig;
    this.canvas = structure.canvas;
    const on = (name, handler) => this.canvas.addEventListener(name, handler, { signal });
    this.rig.listen(signal);
    on("pointermove", (event) => this.hover(event));
    on("pointerleave", () => this.leave());
    on("click", (event) => this.click(event));
    on("keydown", (event) => this.key(event));
    on("blur", () => this.structure.walk.to(null));
  }

  /** What is under the pointer: {kind: "item" | "room" | "floor", ...}, or null. */
  pick(clientX, clientY) {
    const { plan, items } = this.structure;
    if (!plan) return null;
    const frame = this.canvas.getBoundingClientRect();
    const x = ((clientX - frame.left) / frame.width) * 2 - 1;
    const y = 1 - ((clientY - frame.top) / frame.height) * 2;
    const { camera } = this.rig;
    const direction = new Vector3(x, y, 0.5).unproject(camera).sub(camera.position).normalize();
    const things = [...solidsOf(plan), ...(items?.boxes() ?? [])];
    return nearest(things, camera.position.toArray(), direction.toArray());
  }

  hover(event) {
    if (event.pointerType === "touch" || this.rig.pointers.size) return;
    const thing = this.pick(event.clientX, event.clientY);
    this.canvas.style.cursor = thing ? "pointer" : "grab";
    this.structure.light(thing?.room ?? null);
    this.tell(thing, event);
  }

  leave() {
    this.structure.light(null);
    this.tell(null);
  }

  tell(thing, { clientX: x, clientY: y } = {}) {
    this.structure.say("hover", { thing, room: thing?.room?.source.key ?? null, x, y });
  }

  click(event) {
    if (this.rig.moved > STILL) return;
    const thing = this.pick(event.clientX, event.clientY);
    if (thing) this.act(thing);
  }

  key(event) {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const { key } = event;
    const isOnFloor = this.structure.chosen?.rooms.length && !event.shiftKey;
    if (TURNS[key] && isOnFloor) this.structure.walk.step(key);
    else if (TURNS[key]) this.rig.turn(...TURNS[key]);
    else if (ZOOMS[key]) this.rig.zoom(ZOOMS[key]);
    else if (key === "Escape") this.structure.walk.back();
    else if (key === "Home") this.structure.showAll();
    else if (key === "PageDown") this.step(1);
    else if (key === "PageUp") this.step(-1);
    else if (key === "Enter") this.enter();
    else return;
    event.preventDefault();
  }

  /** What a click does: on the chosen floor it opens, elsewhere it goes there. */
  act(thing) {
    const { structure } = this;
    const floor = thing.floor ?? thing.room.floor;
    if (floor !== structure.chosen) {
      structure.choose(floor.source.key);
      if (thing.room) structure.light(thing.room);
    } else if (thing.kind === "item") structure.say("open", { item: thing.item.id });
    else if (thing.kind === "room" && thing.room.source.url)
      structure.say("open", { url: thing.room.source.url });
  }

  /** To the next floor (1) or the one before (-1). */
  step(direction) {
    const { chosen, plan } = this.structure;
    const { floors } = plan;
    if (!floors.length) return;
    const at = chosen ? chosen.index : direction > 0 ? -1 : 0;
    this.structure.choose(floors[(at + direction + floors.length) % floors.length].source.key);
  }

  /** Open the lit room; else light the first one of the chosen floor, or go to the first floor. */
  enter() {
    const { lit, chosen, walk } = this.structure;
    if (lit) this.act({ kind: "room", room: lit, floor: lit.floor });
    else if (chosen?.rooms.length) walk.step("ArrowRight");
    else if (!chosen) this.step(1);
  }
}
