// Where everything stands: wings beside each other, floors above each other, rooms in a grid on each floor,
// items in a grid in each room. Pure numbers (metres of the scene), so that it can be tested without WebGL.

export const CELL = 2.2;
export const ROOM = 1.8;
export const SLAB = 0.16;
const MARGIN = 0.7;
const WING_GAP = 4.5;
const WINGS_PER_ROW = 4;
const STOREY = 2.1;
const SPREAD = 4.2;
const LOW = 0.3;
const HIGH = 1.45;
export const OPEN_ROOM = 0.08;
export const WALL = 0.75;
// How much of its place in the grid a course fills, where there are many.
export const FILLED = 0.72;

/**
 * The building of `model` ({wings: [{floors: [{rooms}]}]}): flat lists of wings, floors and rooms with their
 * places. Sizes are whole; `y` of a floor follows from floorY.
 */
export function layOut(model) {
  const wings = model.wings.map(sizeOfWing);
  placeWings(wings);
  const floors = [];
  const rooms = [];
  for (const wing of wings)
    wing.source.floors.forEach((source, index) => {
      const level = wing.source.floors.length - 1 - index;
      const floor = { source, wing, level, index: floors.length, rooms: [] };
      floors.push(floor);
      addRooms(floor, rooms);
    });
  return { wings, floors, rooms };
}

/** The height at which a floor's slab lies; explode 0 (a house) to 1 (layers far apart). */
export function floorY(floor, explode) {
  return floor.level * (STOREY + explode * SPREAD);
}

/** The height of a closed room by its share of the largest value, 0 to 1; null: nothing is known. */
export function roomHeight(share) {
  return share === null ? LOW / 2 : LOW + (HIGH - LOW) * share;
}

/** Places of n items in a room: [{x, z, size, row, column}], relative to the room's centre. */
export function gridInRoom(n) {
  const across = Math.max(1, Math.ceil(Math.sqrt(n)));
  const cell = (ROOM * 0.86) / across;
  const start = (-(across - 1) * cell) / 2;
  return Array.from({ length: n }, (_, i) => ({
    x: start + (i % across) * cell,
    z: start + Math.floor(i / across) * cell,
    size: Math.min(0.42, cell * FILLED),
    row: Math.floor(i / across),
    column: i % across,
  }));
}

/** The smallest box around the wings: {min: [x, y, z], max: [x, y, z]}. */
export function boundsOf(wings, explode) {
  const min = [Infinity, 0, Infinity];
  const max = [-Infinity, 0, -Infinity];
  for (const wing of wings) {
    min[0] = Math.min(min[0], wing.x - wing.width / 2);
    max[0] = Math.max(max[0], wing.x + wing.width / 2);
    min[2] = Math.min(min[2], wing.z - wing.depth / 2);
    max[2] = Math.max(max[2], wing.z + wing.depth / 2);
    const top = { level: wing.source.floors.length - 1 };
    max[1] = Math.max(max[1], floorY(top, explode) + HIGH);
  }
  return { min, max };
}

function sizeOfWing(source) {
  const most = Math.max(1, ...source.floors.map((floor) => floor.rooms.length));
  const columns = Math.ceil(Math.sqrt(most * 1.8));
  const rows = Math.ceil(most / columns);
  return {
    source,
    columns,
    rows,
    width: columns * CELL + MARGIN,
    depth: rows * CELL + MARGIN,
    x: 0,
    z: 0,
  };
}

function placeWings(wings) {
  const perRow = Math.min(WINGS_PER_ROW, Math.ceil(Math.sqrt(wings.length * 2)));
  let z = 0;
  for (let start = 0; start < wings.length; start += perRow) {
    const row = wings.slice(start, start + perRow);
    const width = row.reduce((sum, wing) => sum + wing.width, WING_GAP * (row.length - 1));
    let x = -width / 2;
    for (const wing of row) {
      wing.x = x + wing.width / 2;
      wing.z = z;
      x += wing.width + WING_GAP;
    }
    z -= Math.max(...row.map((wing) => wing.depth)) + WING_GAP;
  }
}

function addRooms(floor, rooms) {
  const { wing, source } = floor;
  source.rooms.forEach((room, i) => {
    const row = Math.floor(i / wing.columns);
    const inRow = Math.min(wing.columns, source.rooms.length - row * wing.columns);
    const placed = {
      source: room,
      floor,
      index: rooms.length,
      x: wing.x + ((i % wing.columns) - (inRow - 1) / 2) * CELL,
      z: wing.z + (row - (wing.rows - 1) / 2) * CELL,
      height: 0,
    };
    floor.rooms.push(placed);
    rooms.push(placed);
  });
}
