// What is in the rooms of the chosen floor: a block for each course, a thin sheet on it for each video.
// Only one floor has its items drawn at a time, so the cost does not grow with the organisation.
import { Group } from "three";
import { linear } from "./boxes.js";
import { Crowd } from "./crowd.js";
import { gridInRoom, OPEN_ROOM } from "./layout.js";

const MOST_SHEETS = 5;

export class Items {
  constructor(floor, items) {
    this.group = new Group();
    this.floor = floor;
    this.things = placed(floor, items);
    this.sheets = this.things.flatMap((thing) => sheetsOf(thing));
    this.crowd = new Crowd(
      this.things.map((thing) => thing.box),
      this.sheets,
    );
    this.group.add(this.crowd.group);
  }

  /** Stand where the floor stands, and turn to the eye. */
  follow(eye, perMetre) {
    this.group.position.y = this.floor.y;
    this.group.visible = this.floor.shown > 0;
    this.crowd.face(eye, perMetre);
  }

  /** colourOfItem: a thing to [r, g, b] from 0 to 255; sheets are of one colour. */
  paint(colourOfItem, sheetColour) {
    const sheet = linear(sheetColour);
    this.crowd.paint((i) =>
      i < this.things.length ? linear(colourOfItem(this.things[i])) : sheet,
    );
  }

  /** The things with their boxes in the scene, for picking. */
  boxes() {
    const { y } = this.floor;
    return this.things.map((thing) => ({ ...thing, box: { ...thing.box, y: thing.box.y + y } }));
  }

  dispose() {
    this.group.removeFromParent();
    this.crowd.dispose();
  }
}

function placed(floor, items) {
  const byRoom = new Map(floor.rooms.map((room) => [room.source.id, []]));
  for (const item of items) byRoom.get(item.room)?.push(item);
  return floor.rooms.flatMap((room) => {
    const own = byRoom.get(room.source.id);
    const places = gridInRoom(own.length);
    return own.map((item, i) => {
      const { x, z, size, row, column } = places[i];
      const box = { x: room.x + x, y: OPEN_ROOM, z: room.z + z, w: size, h: size * 0.7, d: size };
      Object.assign(box, { row: `${room.index} ${row}`, column });
      return { kind: "item", item, room, box };
    });
  });
}

function sheetsOf({ item, box }) {
  const count = Math.min(MOST_SHEETS, item.videos);
  const thin = box.h * 0.12;
  return Array.from({ length: count }, (_, i) => ({
    ...box,
    y: box.y + box.h + thin * (0.6 + i * 1.7),
    w: box.w * 0.8,
    d: box.d * 0.8,
    h: thin,
    isTop: i === count - 1,
  }));
}
