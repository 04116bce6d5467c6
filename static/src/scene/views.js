// From where the house, a floor or a room is looked at.
import { Vector3 } from "three";
import { boundsOf, floorY, ROOM } from "./layout.js";

const HOUSE = { theta: 0.5, phi: 0.42 };
const FLOOR = { theta: 0.5, phi: 0.82 };
const NEAR = { theta: 0.5, phi: 0.78 };
// Metres below a floor that stay in the picture, where the legend stands.
const FOOT = 0.7;

export function houseView(rig, plan, explode) {
  const bounds = boundsOf(plan.wings, explode);
  bounds.max[1] += 0.6;
  return rig.fit(bounds, HOUSE);
}

export function floorView(rig, floor, explode) {
  const { x, z, width, depth } = floor.wing;
  const y = floorY(floor, explode);
  return rig.fit(
    {
      min: [x - width / 2, y - FOOT, z - depth / 2],
      max: [x + width / 2, y + 0.8, z + depth / 2],
    },
    FLOOR,
  );
}

export function roomView(rig, room, explode) {
  const y = floorY(room.floor, explode);
  const near = ROOM * 1.4;
  return rig.fit(
    { min: [room.x - near, y, room.z - near], max: [room.x + near, y + 0.9, room.z + near] },
    NEAR,
  );
}

/** Whether the middle of a room is well within the picture. */
export function isInSight(rig, room) {
  const { x, y } = new Vector3(room.x, room.floor.y, room.z).project(rig.camera);
  return Math.max(Math.abs(x), Math.abs(y)) < 0.9;
}
