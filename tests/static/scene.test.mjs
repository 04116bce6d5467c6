import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, goalOf } from "../../static/src/scene/arrange.js";
import { Items } from "../../static/src/scene/items.js";
import { boxOf, overlap } from "../../static/src/scene/labels.js";
import { layOut, roomHeight } from "../../static/src/scene/layout.js";
import { organisationModel } from "../../static/src/scene/model.js";
import { Motion } from "../../static/src/scene/motion.js";
import { wantedNames } from "../../static/src/scene/names.js";
import { Palette } from "../../static/src/scene/palette.js";
import { Rig } from "../../static/src/scene/rig.js";
import { colourOf, sharesOf, steps } from "../../static/src/scene/scales.js";
import { floorView, houseView } from "../../static/src/scene/views.js";
import { nextRoom } from "../../static/src/scene/walking.js";

const SIZE = [800, 600];

/** A house of wings: names of floors from the top, each with so many rooms. */
function house(...wings) {
  const model = {
    wings: wings.map((floors, w) => ({
      key: `w${w}`,
      name: `翼 ${w}`,
      floors: Object.entries(floors).map(([name, n]) => ({
        key: name,
        name,
        colour: "#2f7f9e",
        rooms: Array.from({ length: n }, (_, r) => ({
          key: `${name}-${r}`,
          id: r,
          name: `房间 ${name}-${r}`,
          values: { courses: r },
        })),
      })),
    })),
  };
  const plan = layOut(model);
  for (const floor of plan.floors) Object.assign(floor, goalOf(floor, null));
  arrange(plan, { explode: 0.3, chosen: null, isMine: () => false, perMetre: 50 });
  return plan;
}

/** A camera that `view` (of the camera) places. */
function looking(view) {
  const rig = new Rig({ clientHeight: SIZE[1] }, () => {});
  rig.camera.aspect = SIZE[0] / SIZE[1];
  rig.view = view(rig);
  rig.apply();
  return rig;
}

function luminance([r, g, b]) {
  const part = (value) => (value / 255 <= 0.04045 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
}

test("no room stands in another, nor outside its wing", () => {
  const { rooms } = house({ A: 7, B: 1 }, { C: 30 });
  for (const room of rooms) {
    assert.ok(Math.abs(room.x - room.floor.wing.x) + 0.9 <= room.floor.wing.width / 2);
    const beside = rooms.filter((other) => other !== room && other.floor === room.floor);
    assert.ok(beside.every((other) => Math.hypot(other.x - room.x, other.z - room.z) > 1.8));
  }
});

test("both scales tell their steps apart by lightness alone", () => {
  for (const dark of [false, true]) {
    const light = [0, 0.25, 0.5, 0.75, 1].map((share) => luminance(colourOf(share, dark)));
    const [up, down] = [(a, b) => a < b, (a, b) => a > b];
    const order = dark ? up : down;
    assert.equal(light.length, steps(dark).length);
    for (let i = 1; i < light.length; i++) {
      assert.ok(order(light[i - 1], light[i]));
      const [low, high] = [light[i - 1], light[i]].sort((a, b) => a - b);
      assert.ok((high + 0.05) / (low + 0.05) > 1.25, `${dark} ${i}`);
    }
  }
});

test("a measure becomes shares of its largest value; rates are shares already; nothing stays nothing", () => {
  const rooms = [{ people: 4, completion: 0.5 }, { people: 2 }, {}].map((values) => ({ source: { values } }));
  assert.deepEqual(sharesOf(rooms, "people"), { largest: 4, shares: [1, 0.5, null] });
  assert.deepEqual(sharesOf(rooms, "completion"), { largest: 1, shares: [0.5, null, null] });
  assert.ok(roomHeight(1) > roomHeight(0) && roomHeight(0) > roomHeight(null));
});

test("the learner's way gives rooms their shares and their light", () => {
  const { rooms } = house({ A: 2 });
  const palette = new Palette({ unknown: "#c9d1cd", dark: false, faded: "#dfe5e1" });
  Object.assign(palette, { measure: "mine", ways: { positions: { 1: { done: 0.4 } }, courses: {} } });
  palette.weigh(rooms);
  assert.deepEqual(rooms.map((room) => room.share), [null, 0.4]);
  assert.deepEqual(rooms.map((room) => palette.isMine(room)), [false, true]);
  palette.found = { rooms: new Set([rooms[0]]), holds: () => false };
  assert.deepEqual(palette.roomColour(rooms[1], null), [223, 229, 225]);
});

test("a chosen floor opens, what is above it goes, and what is below is emptied", () => {
  const plan = house({ top: 2, middle: 2, low: 2 }, { beside: 1 });
  const [top, middle, low, beside] = plan.floors;
  for (const floor of plan.floors) Object.assign(floor, goalOf(floor, middle));
  arrange(plan, { explode: 0.3, chosen: middle, isMine: () => false, perMetre: 50 });
  assert.deepEqual([top, middle, low, beside].map((floor) => floor.shown), [0, 1, 1, 1]);
  assert.deepEqual([top, middle, low, beside].map((floor) => floor.rooms[0].shown), [0, 1, 0, 1]);
  assert.deepEqual([middle, beside].map((floor) => floor.rooms[0].open), [true, false]);
  assert.ok(top.y > 10);
});

test("names behind walls are left out, and all rooms' names at a flat angle", () => {
  const plan = house({ A: 12 });
  for (const room of plan.rooms) room.height = 0.3;
  const rig = looking((each) => houseView(each, plan, 0.3));
  const shown = () =>
    wantedNames({ plan, chosen: null, lit: null, rig }, ...SIZE)
      .filter((name) => name.kind === "room")
      .map((name) => name.key);
  assert.equal(shown().length, 12);
  const front = plan.rooms.reduce((a, b) => (b.z > a.z || (b.z === a.z && b.x > a.x) ? b : a));
  for (const room of plan.rooms) if (room.z === front.z) room.height = 6;
  const names = shown();
  assert.ok(names.includes(front.source.key));
  assert.ok(names.length < 12 && names.length >= 3, String(names));
  rig.view.phi = 0.1;
  rig.apply();
  assert.deepEqual(shown(), []);
});

test("the house and a floor fit the picture", () => {
  const plan = house({ A: 9, B: 2 }, { C: 20, D: 1, E: 4 });
  for (const chosen of [null, plan.floors[2]]) {
    const rig = looking((each) =>
      chosen ? floorView(each, chosen, 0.3) : houseView(each, plan, 0.3),
    );
    const names = wantedNames({ plan, chosen, lit: null, rig }, ...SIZE);
    assert.ok(names.length > 3);
    for (const { x, y } of names) assert.ok(x > 0 && x < SIZE[0] && y > 0 && y < SIZE[1]);
  }
});

test("arrow keys go along the rows as they are seen and reach every room, from wherever one looks", () => {
  const { rooms } = house({ A: 7 });
  // Seen from the front: 0 1 2 3 behind, 4 5 6 before them, half a room to the right.
  const go = (from, key, theta = 0.5) => nextRoom(rooms, rooms[from] ?? null, `Arrow${key}`, theta)?.index;
  assert.deepEqual([go(0, "Right"), go(3, "Right"), go(6, "Right")], [1, 4, 6]);
  assert.deepEqual([go(1, "Left"), go(4, "Left"), go(0, "Left")], [0, 3, 0]);
  assert.deepEqual([go(1, "Down"), go(5, "Up"), go(1, "Up"), go(6, "Down")], [4, 1, 1, 6]);
  assert.deepEqual([go(undefined, "Down"), nextRoom([], null, "ArrowUp", 0)], [0, null]);
  // From behind, left is right and what was before is behind.
  assert.deepEqual([go(1, "Right", 0.5 + Math.PI), go(5, "Down", 0.5 + Math.PI)], [0, 2]);
  for (let theta = -4; theta < 8; theta += 0.3) {
    let room = nextRoom(rooms, null, "ArrowRight", theta);
    const reached = new Set([room]);
    for (let i = 0; i < 6; i++) {
      room = nextRoom(rooms, room, "ArrowRight", theta);
      reached.add(room);
    }
    assert.equal(reached.size, 7, String(theta));
  }
});

test("labels stay in the stage and know when they meet", () => {
  const element = { size: [100, 20] };
  assert.deepEqual(boxOf({ x: 5, y: 3, anchor: "middle" }, element, 390, 300), { x: 4, y: 4, w: 100, h: 20 });
  assert.equal(boxOf({ x: -60, y: 3, anchor: "middle" }, element, 390, 300), null);
  const at = (x, y) => ({ x, y, w: 100, h: 20 });
  assert.ok(overlap(at(0, 0), at(99, 19)));
  assert.ok(!overlap(at(0, 0), at(104, 0)) && !overlap(at(0, 0), at(0, 24)));
});

test("movements glide and end; with reduced motion they are over at once", () => {
  const thing = { y: 0 };
  const motion = new Motion(() => false);
  motion.start("a", thing, { y: 10 }, 100);
  assert.ok(motion.step(performance.now() + 50));
  assert.ok(thing.y > 0 && thing.y < 10);
  assert.ok(!motion.step(performance.now() + 200));
  assert.equal(thing.y, 10);
  new Motion(() => true).start("a", thing, { y: 3 });
  assert.equal(thing.y, 3);
});

test("units at the top are wings, units below with positions are their floors", () => {
  const unit = (id, parent, rooms = []) => ({ id, parent, name: `部 ${id}`, name_en: `Unit ${id}`, colour: "", plan: "", rooms });
  const room = { id: 7, title: "Lead", language: "en", courses: 3 };
  const units = [unit(1, null), unit(2, 1, [room]), unit(3, 2, [room]), unit(4, null, [room])];
  const { wings } = organisationModel({ units }, { language: "zh", roomUrl: "/positions/0" });
  assert.deepEqual(wings.map((wing) => wing.floors.map((floor) => floor.name)), [["部 2", "部 3"], ["部 4"]]);
  assert.equal(wings[0].floors[0].rooms[0].url, "/positions/7");
  assert.equal(wings[0].floors[0].rooms[0].key, "2-7");
});

test("courses that are specks become strips of a colour, near ones boxes without the sides that turn away", () => {
  const { floors } = house({ A: 1 });
  const courses = Array.from({ length: 9 }, (_, id) => ({ room: 0, id, title: `课程 ${id}`, videos: 2 }));
  const items = new Items(floors[0], courses);
  const { solids, strips } = items.crowd;
  const count = (mesh) => mesh.geometry.index.count / 6;
  items.paint(() => [10, 20, 30], [255, 255, 255]);

  items.follow({ x: 50, z: 50 }, 1);
  assert.deepEqual([count(strips), count(solids)], [3, 0]);
  items.paint(({ item }) => [item.id === 4 ? 200 : 10, 20, 30], [255, 255, 255]);
  items.follow({ x: 50, z: 50 }, 1);
  assert.deepEqual([count(strips), count(solids)], [5, 0]);
  items.follow({ x: 50, z: 50 }, 60);
  assert.deepEqual([count(strips), count(solids)], [0, 9 * 3 + 9]);
  items.follow({ x: 50, z: 50 }, 600);
  assert.deepEqual([count(strips), count(solids)], [0, 9 * 3 + 18 * 3]);
  assert.equal(items.boxes().length, 9);
});
