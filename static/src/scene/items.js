// What is in the rooms of the chosen floor: a block for each course, a thin sheet on it for each video.
// Only one floor has its items drawn at a time, so the cost does not grow with the organisation.
import { BoxGeometry, Group, InstancedMesh, MeshLambertMaterial } from "three";
import { setBox, setColour } from "./building.js";
import { gridInRoom, OPEN_ROOM } from "./layout.js";

const MOST_SHEETS = 5;

export class Items {
  constructor(floor, items) {
    this.group = new Group();
    this.floor = floor;
    this.things = placed(floor, items);
    const box = new BoxGeometry(1, 1, 1).translate(0, 0.5, 0);
    this.blocks = mesh(box, this.things.length);
    const sheets = this.things.flatMap((thing) => sheetsOf(thing));
    this.sheets = mesh(box, sheets.length);
    this.things.forEach((thing, i) => {
      setBox(this.blocks, i, thing.box);
    });
    sheets.forEach((sheet, i) => {
      setBox(this.sheets, i, sheet);
    });
    this.group.add(this.blocks, this.sheets);
    this.follow();
  }

  /** Stand where the floor stands. */
  follow() {
    this.group.position.y = this.floor.y;
    this.group.visible = this.floor.shown > 0;
  }

  paint(colourOfItem, sheetColour) {
    this.things.forEach((thing, i) => {
      setColour(this.blocks, i, colourOfItem(thing));
    });
    if (this.blocks.instanceColor) this.blocks.instanceColor.needsUpdate = true;
    this.sheets.material.color.set(sheetColour);
  }

  /** The things with their boxes in the scene, for picking. */
  boxes() {
    const { y } = this.floor;
    return this.things.map((thing) => ({ ...thing, box: { ...thing.box, y: thing.box.y + y } }));
  }

  dispose() {
    this.group.removeFromParent();
    this.blocks.geometry.dispose();
    for (const each of [this.blocks, this.sheets]) {
      each.material.dispose();
      each.dispose();
    }
  }
}

function placed(floor, items) {
  const byRoom = new Map(floor.rooms.map((room) => [room.source.id, []]));
  for (const item of items) byRoom.get(item.room)?.push(item);
  return floor.rooms.flatMap((room) => {
    const own = byRoom.get(room.source.id);
    const places = gridInRoom(own.length);
    return own.map((item, i) => {
      const { x, z, size } = places[i];
      const box = { x: room.x + x, y: OPEN_ROOM, z: room.z + z, w: size, h: size * 0.7, d: size };
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
  }));
}

function mesh(geometry, count) {
  const made = new InstancedMesh(geometry, new MeshLambertMaterial(), Math.max(1, count));
  made.count = count;
  made.frustumCulled = false;
  return made;
}
