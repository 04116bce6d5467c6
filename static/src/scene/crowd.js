// Thousands of small boxes that stand still, as one mesh with all corners written out. Instances would take less
// memory, but software renderers draw each instance anew: for 2,000 boxes that is most of a frame.
import { BufferAttribute, BufferGeometry, Mesh, MeshBasicMaterial } from "three";
import { SHADES } from "./boxes.js";

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
const FEW_PIXELS = 7;
const PER_BOX = SIDES.length * 4;

export class Crowd {
  /** boxes, and finer ones that are left out where they would be specks: [{x, y, z, w, h, d}]. */
  constructor(coarse, fine) {
    const boxes = [...coarse, ...fine];
    this.boxes = boxes;
    this.nCoarse = coarse.length;
    this.widths = [...new Set(boxes.map((box) => box.w))];
    this.drawn = "";
    const geometry = new BufferGeometry();
    const n = boxes.length * PER_BOX * 3;
    geometry.setAttribute(
      "position",
      new BufferAttribute(cornersOf(boxes, new Float32Array(n)), 3),
    );
    geometry.setAttribute("color", new BufferAttribute(new Float32Array(n), 3));
    const material = new MeshBasicMaterial({ vertexColors: true });
    this.mesh = new Mesh(geometry, material);
    this.mesh.frustumCulled = false;
    this.area = areaOf(boxes);
  }

  /** Colour each box: [r, g, b] in the renderer's own (linear) parts from 0 to 1, by its place. */
  paint(colourOfBox) {
    const colours = this.mesh.geometry.attributes.color;
    let at = 0;
    this.boxes.forEach((_, index) => {
      const colour = colourOfBox(index);
      for (const side of SIDES)
        for (let corner = 0; corner < 4; corner++)
          for (const part of colour) colours.array[at++] = part * SHADES[side];
    });
    colours.needsUpdate = true;
  }

  /**
   * Leave out what nobody sees from an eye at (x, z): the sides that turn away, nearly half of all triangles; and
   * of boxes that are few pixels wide (perMetre: pixels) all but the top, and the finer ones among them.
   */
  face({ x, z }, perMetre) {
    const { min, max } = this.area;
    const sides = [TOP];
    if (x > min[0]) sides.push(RIGHT);
    if (x < max[0]) sides.push(LEFT);
    if (z > min[1]) sides.push(FRONT);
    if (z < max[1]) sides.push(BACK);
    const least = FEW_PIXELS / perMetre;
    const drawn = `${sides} ${this.widths.filter((width) => width < least).length}`;
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.mesh.geometry.setIndex(new BufferAttribute(this.indexOf(sides, least), 1));
  }

  indexOf(sides, least) {
    const index = new Uint32Array(this.boxes.length * sides.length * 6);
    let at = 0;
    this.boxes.forEach((box, number) => {
      const isSmall = box.w < least;
      if (isSmall && number >= this.nCoarse) return;
      for (const side of isSmall ? [TOP] : sides) {
        const first = number * PER_BOX + SIDES.indexOf(side) * 4;
        for (const corner of [0, 1, 2, 0, 2, 3]) index[at++] = first + corner;
      }
    });
    return index.slice(0, at);
  }

  dispose() {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
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
