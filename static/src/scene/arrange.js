// Where floors stand and what of them is seen while one of them is chosen: those above it lift off, those below
// are emptied, and its own rooms open.
import { floorY, ROOM } from "./layout.js";

// How far floors lift off, in metres.
const LIFT = 9;
// Rooms that look smaller than this many pixels would be all outline.
const OUTLINED = 16;

/** What becomes of a floor, each 0 to 1: away (lifted off), emptied, opened. Motion brings it there. */
export function goalOf(floor, chosen) {
  const isBeside = chosen && floor !== chosen && floor.wing === chosen.wing;
  return {
    away: isBeside && floor.level > chosen.level ? 1 : 0,
    emptied: isBeside && floor.level < chosen.level ? 1 : 0,
    opened: floor === chosen ? 1 : 0,
  };
}

/** Bring floors and rooms to where the present moment of all movements has them. perMetre: pixels. */
export function arrange(plan, { explode, chosen, isMine, perMetre }) {
  const hasOutlines = ROOM * perMetre > OUTLINED;
  for (const floor of plan.floors) {
    floor.y = floorY(floor, explode) + floor.away * LIFT;
    floor.shown = Math.max(0, 1 - floor.away);
    for (const room of floor.rooms)
      Object.assign(room, {
        shown: Math.max(0, floor.shown - floor.emptied),
        open: floor.opened > 0.5,
        outlined: hasOutlines && (!chosen || floor === chosen),
        lit: isMine(room),
      });
  }
}
