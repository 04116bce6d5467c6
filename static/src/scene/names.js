// Which names are wanted over the scene, the most important first, and where they hang.
import { Vector3 } from "three";
import { roomBox, solidsOf } from "./building.js";
import { ROOM, WALL } from "./layout.js";
import { isHidden } from "./picking.js";

// Below this angle the names of rooms would lie on each other.
const FLAT = 0.2;
const MOST_ROOMS = 60;

/**
 * Labels for Labels.place: [{key, text, kind, lang, anchor, lit, x, y}], x and y in pixels of a stage of this size.
 * Names behind walls are left out.
 */
export function wantedNames({ plan, chosen, lit, rig }, width, height) {
  const names = [];
  const add = (point, name) => {
    const at = new Vector3(...point).project(rig.camera);
    if (at.z <= 1)
      names.push({ ...name, x: ((at.x + 1) / 2) * width, y: ((1 - at.y) / 2) * height });
  };
  if (lit?.shown) add(topOf(lit), nameOfRoom(lit, true));
  if (!chosen)
    for (const wing of plan.wings)
      if (wing.source.name) add(topOfWing(wing, plan), nameOfWing(wing));
  for (const floor of plan.floors)
    if (floor.shown > 0.5 && (!chosen || floor === chosen))
      add(leftmostCorner(floor, rig), nameOfFloor(floor));
  if (rig.view.phi > FLAT) {
    const eye = rig.camera.position.toArray();
    for (const room of roomsInSight(plan, chosen, eye))
      if (room !== lit) add(topOf(room), nameOfRoom(room));
  }
  return names;
}

/** The rooms whose names may be shown, the nearest first. */
function roomsInSight(plan, chosen, eye) {
  const rooms = chosen ? chosen.rooms : plan.rooms;
  if (rooms.length > MOST_ROOMS && !chosen) return [];
  const walls = solidsOf(plan);
  const distance = (room) => Math.hypot(room.x - eye[0], room.floor.y - eye[1], room.z - eye[2]);
  return rooms
    .filter((room) => room.shown)
    .filter((room) => !isHidden(topOf(room), eye, walls, (each) => each.room === room))
    .sort((a, b) => distance(a) - distance(b));
}

function nameOfRoom({ source: { key, name, lang } }, lit = false) {
  return { key, text: name, lang, kind: "room", anchor: "middle", lit };
}

function nameOfFloor({ source }) {
  return { key: `floor ${source.key}`, text: source.name, kind: "floor", anchor: "end" };
}

function nameOfWing({ source }) {
  return { key: `wing ${source.key}`, text: source.name, kind: "wing", anchor: "middle" };
}

/** Over its roof, or over the back wall of an open room. */
function topOf(room) {
  const box = roomBox(room);
  if (room.open) return [box.x, box.y + WALL, box.z - ROOM / 2];
  return [box.x, box.y + box.h, box.z];
}

function topOfWing(wing, plan) {
  const heights = plan.floors.filter((floor) => floor.wing === wing).map((floor) => floor.y);
  return [wing.x, Math.max(...heights) + 1.7, wing.z - wing.depth / 2];
}

/** The corner of the slab that is furthest to the left in the picture. */
function leftmostCorner({ wing, y }, rig) {
  const corners = [-1, 1].flatMap((sx) =>
    [-1, 1].map((sz) => [wing.x + (sx * wing.width) / 2, y, wing.z + (sz * wing.depth) / 2]),
  );
  const across = (corner) => new Vector3(...corner).project(rig.camera).x;
  return corners.reduce((best, corner) => (across(corner) < across(best) ? corner : best));
}
