// Thousands of small boxes that stand still, as one mesh with all corners written out: drawn by software, 2,000
// instances of a square take five times as long as the same squares written out. Boxes that are specks are drawn
// as their tops alone, whole rows of a colour as one strip with holes between them.
import {
  BufferAttribute,
  BufferGeometry,
  DataTexture,
  Group,
  LinearFilter,
  LinearMipmapLinearFilter,
  Mesh,
  MeshBasicMaterial,
  RepeatWrapping,
} from "three";
import { SHADES } from "./boxes.js";
import { FILLED } from "./layout.js";

const [RIGHT, LEFT, TOP, , FRONT, BACK] = SHADES.keys();
const SIDES = [RIGHT, LEFT, TOP, FRONT, BACK];
// The corners of each side, against the clock as seen from outside: bits are right, upper, front.
const CORNERS = {
  [RIGHT]: [7, 5, 1, 3],
  [LEFT]: [2, 0, 4, 6],
  [TOP]: [6, 7, 3, 2],
  [FRONT]: [6, 4, 5, 7],
  [BACK]: [3, 1, 0, 2],
};
const PER_BOX = SIDES.length * 4;
// Narrower than this many pixels, a box is a speck; lower than that many, a sheet has no sides to be seen.
const SPECK = 7;
const THIN = 2;

export class Crowd {
  /**
   * coarse: [{x, y, z, w, h, d, row, column}], each row of a room together, as gridInRoom has them; fine: sheets
   * [{x, y, z, w, h, d, isTop}] that are left out where they would be specks.
   */
  constructor(coarse, fine) {
    this.boxes = [...coarse, ...fine];
    this.nCoarse = coarse.length;
    this.widths = [...new Set(this.boxes.map((box) => box.w))];
    this.heights = [...new Set(fine.map((box) => box.h))];
    this.colours = [];
    this.drawn = "";
    const corners = this.boxes.length * PER_BOX;
    const attributes = {
      position: new BufferAttribute(cornersOf(this.boxes, new Float32Array(corners * 3)), 3),
      color: new BufferAttribute(new Float32Array(corners * 3), 3),
      uv: new BufferAttribute(columnsOf(coarse, new Float32Array(corners * 2)), 2),
    };
    this.solids = meshOf(attributes, new MeshBasicMaterial({ vertexColors: true }));
    this.strips = meshOf(
      attributes,
      new MeshBasicMaterial({ vertexColors: true, map: holes(), alphaTest: 0.5 }),
    );
    this.group = new Group().add(this.solids, this.strips);
    this.area = areaOf(this.boxes);
  }

  /** Colour each box: [r, g, b] in the renderer's own (linear) parts from 0 to 1, by its place. */
  paint(colourOfBox) {
    this.colours = this.boxes.map((_, index) => colourOfBox(index));
    const colours = this.solids.geometry.attributes.color;
    let at = 0;
    for (const colour of this.colours)
      for (const side of SIDES)
        for (let corner = 0; corner < 4; corner++)
          for (const part of colour) colours.array[at++] = part * SHADES[side];
    colours.needsUpdate = true;
    this.drawn = ""; // other boxes are of one colour now
  }

  /** Leave out what nobody sees from an eye at (x, z): sides that turn away, specks. perMetre: pixels. */
  face({ x, z }, perMetre) {
    const { min, max } = this.area;
    const sides = [TOP];
    if (x > min[0]) sides.push(RIGHT);
    if (x < max[0]) sides.push(LEFT);
    if (z > min[1]) sides.push(FRONT);
    if (z < max[1]) sides.push(BACK);
    const nSpecks = this.widths.filter((width) => width * perMetre < SPECK).length;
    const nThin = this.heights.filter((height) => height * perMetre < THIN).length;
    const drawn = `${sides} ${nSpecks} ${nThin}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const specks = [];
    const solids = [];
    this.boxes.forEach((box, index) => {
      const isFine = index >= this.nCoarse;
      if (box.w * perMetre < SPECK) {
        if (!isFine) specks.push(index);
      } else if (!isFine || box.h * perMetre >= THIN)
        for (const side of sides) solids.push(...sideOf(index, side));
      else if (box.isTop) solids.push(...sideOf(index, TOP));
    });
    setIndex(this.solids, solids);
    setIndex(this.strips, this.stripsOf(specks));
  }

  /** Neighbours of a colour in a row as one strip, from the left side of the first to the right of the last. */
  stripsOf(specks) {
    const strips = [];
    let first = null;
    specks.forEach((index, i) => {
      first ??= index;
      if (this.goOn(index, specks[i + 1])) return;
      const [frontLeft, , , backLeft] = topOf(first);
      const [, frontRight, backRight] = topOf(index);
      strips.push(frontLeft, frontRight, backRight, frontLeft, backRight, backLeft);
      first = null;
    });
    return strips;
  }

  goOn(index, next) {
    if (next === undefined || this.boxes[index].row !== this.boxes[next].row) return false;
    return this.colours[index].every((part, i) => part === this.colours[next][i]);
  }

  dispose() {
    this.strips.material.map.dispose();
    for (const mesh of [this.solids, this.strips]) {
      mesh.geometry.dispose();
      mesh.material.dispose();
    }
  }
}

function meshOf(attributes, material) {
  const geometry = new BufferGeometry();
  for (const [name, attribute] of Object.entries(attributes))
    geometry.setAttribute(name, attribute);
  const mesh = new Mesh(geometry, material);
  mesh.frustumCulled = false;
  return mesh;
}

function setIndex(mesh, index) {
  mesh.geometry.setIndex(new BufferAttribute(new Uint32Array(index), 1));
  mesh.visible = index.length > 0;
}

function sideOf(index, side) {
  const first = index * PER_BOX + SIDES.indexOf(side) * 4;
  return [first, first + 1, first + 2, first, first + 2, first + 3];
}

/** The corners of its top: front left, front right, back right, back left. */
function topOf(index) {
  const first = index * PER_BOX + SIDES.indexOf(TOP) * 4;
  return [first, first + 1, first + 2, first + 3];
}

/** Where the corners of tops lie on `holes`: the left ones at their column, the right ones a box further. */
function columnsOf(boxes, array) {
  boxes.forEach(({ column }, index) => {
    const [frontLeft, frontRight, backRight, backLeft] = topOf(index);
    for (const corner of [frontLeft, backLeft]) array[corner * 2] = column;
    for (const corner of [frontRight, backRight]) array[corner * 2] = column + FILLED;
  });
  return array;
}

/** A box and the hole beside it, for ever repeated. */
function holes() {
  const size = 32;
  const data = new Uint8Array(size * 4).fill(255);
  for (let i = Math.round(size * FILLED); i < size; i++) data[i * 4 + 3] = 0;
  const texture = new DataTexture(data, size, 1);
  texture.wrapS = RepeatWrapping;
  texture.minFilter = LinearMipmapLinearFilter;
  texture.magFilter = LinearFilter;
  texture.generateMipmaps = true;
  texture.needsUpdate = true;
  return texture;
}

function cornersOf(boxes, array) {
  let at = 0;
  for (const { x, y, z, w, h, d } of boxes)
    for (const side of SIDES)
      for (const corner of CORNERS[side]) {
        array[at++] = x + (corner & 1 ? 0.5 : -0.5) * w;
        array[at++] = y + (corner & 2 ? h : 0);
        array[at++] = z + (corner & 4 ? 0.5 : -0.5) * d;
      }
  return array;
}

function areaOf(boxes) {
  const bounds = (axis) => {
    const values = boxes.map((box) => box[axis]);
    return [Math.min(...values), Math.max(...values)];
  };
  const [x, z] = [bounds("x"), bounds("z")];
  return { min: [x[0], z[0]], max: [x[1], z[1]] };
}
