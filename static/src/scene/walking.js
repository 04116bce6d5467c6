// Walking by keyboard. Where the arrow keys lead on a floor: up and down to the room before or behind, left and right along the rows
// as they are seen, from the end of one to the next, so that every room is reached by one key.

import { isInSight } from "./views.js";

const AWAY = { ArrowUp: 1, ArrowDown: -1 };
const ALONG = { ArrowRight: 1, ArrowLeft: -1 };
// Rooms this close in one direction stand in one row.
const SAME = 0.01;

/** The room that somebody came to by keyboard; it stays lit while the pointer is on no other. */
export class Walk {
  constructor(structure) {
    this.structure = structure;
    this.room = null;
  }

  /** Come to a room of the chosen floor, or leave it (null). */
  to(room) {
    if (room === this.room) return;
    const { structure } = this;
    this.room = room;
    structure.light(room);
    if (room) this.follow(room);
    structure.say("walk", { room });
  }

  /** Keep the room in the picture, in a view that was turned by hand too. */
  follow(room) {
    const { structure } = this;
    if (structure.visited) {
      structure.visited = room;
      structure.goTo(structure.wantedView());
    } else if (structure.isOwnView && !isInSight(structure.rig, room)) {
      structure.goTo({ ...structure.rig.view, x: room.x, y: room.floor.y, z: room.z });
      structure.isOwnView = true;
    }
  }

  /** One step further by an arrow key. */
  step(key) {
    const { chosen, lit, rig } = this.structure;
    this.to(nextRoom(chosen.rooms, lit, key, rig.view.theta));
  }

  /** From the room to its floor, from there to the whole house. */
  back() {
    const { structure } = this;
    if (!this.room && !structure.visited) return structure.showAll();
    structure.visited = null;
    this.to(null);
    structure.light(null);
    structure.goTo(structure.wantedView());
  }
}

/**
 * The room of `rooms` ({x, z}) that `key` leads to from `room`, seen from the angle `theta`: the first of the
 * furthest row without a room, the same one where there is none in that direction.
 */
export function nextRoom(rooms, room, key, theta) {
  const seen = rooms.map((each) => ({ room: each, ...place(each, theta) }));
  seen.sort((a, b) => (Math.abs(a.away - b.away) > SAME ? b.away - a.away : a.right - b.right));
  const at = seen.findIndex((each) => each.room === room);
  if (at < 0) return seen[0]?.room ?? null;
  if (key in ALONG) return (seen[at + ALONG[key]] ?? seen[at]).room;
  const from = seen[at];
  let [best, least] = [from, Infinity];
  for (const each of seen) {
    const ahead = (each.away - from.away) * AWAY[key];
    // What is aside is further than what is as far straight on.
    const cost = ahead + 2 * Math.abs(each.right - from.right);
    if (ahead > SAME && cost < least) [best, least] = [each, cost];
  }
  return best.room;
}

/** Where a room is in the picture, along the axes of the grid that are nearest to those of the eye. */
function place({ x, z }, theta) {
  const turn = (Math.round((theta * 2) / Math.PI) * Math.PI) / 2;
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  return { right: x * cos - z * sin, away: -(x * sin + z * cos) };
}
