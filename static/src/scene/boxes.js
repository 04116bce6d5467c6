// The box that everything is made of. Its light is painted on: each side has its shade, so that a pixel costs no
// reckoning with lamps (a software renderer draws it in half the time), and nobody sees its underside.
import {
  BoxGeometry,
  BufferAttribute,
  Color,
  InstancedMesh,
  Matrix4,
  MeshBasicMaterial,
  SRGBColorSpace,
} from "three";

// Shades of the sides right, left, top, underside, front, back.
export const SHADES = [0.62, 0.74, 1, 0.5, 0.8, 0.66];
const UNDERSIDE = 3;
const matrix = new Matrix4();
const colour = new Color();

/** A box of size 1 that stands on its foot. */
export function shadedBox() {
  const box = new BoxGeometry(1, 1, 1).translate(0, 0.5, 0);
  const shades = SHADES.flatMap((shade) => Array(4 * 3).fill(shade));
  box.setAttribute("color", new BufferAttribute(new Float32Array(shades), 3));
  box.setIndex([...box.index.array].filter((_, i) => Math.floor(i / 6) !== UNDERSIDE));
  box.clearGroups();
  return box;
}

/** `count` boxes in one draw call. */
export function boxes(geometry, count, material = new MeshBasicMaterial({ vertexColors: true })) {
  const mesh = new InstancedMesh(geometry, material, Math.max(1, count));
  mesh.count = count;
  mesh.frustumCulled = false;
  return mesh;
}

export function setBox(mesh, index, { x, y, z, w, h, d }, shown = 1) {
  matrix.makeScale(w * shown, h * shown, d * shown).setPosition(x, y, z);
  mesh.setMatrixAt(index, matrix);
}

/** The renderer's own parts (linear, 0 to 1) of a colour [r, g, b] from 0 to 255. */
export function linear([r, g, b]) {
  return colour.setRGB(r / 255, g / 255, b / 255, SRGBColorSpace).toArray();
}

/** parts: as `linear` gives them. */
export function setColour(mesh, index, parts) {
  mesh.setColorAt(index, colour.fromArray(parts));
}

/** Draw the first `count` boxes, as they were just set. */
export function showBoxes(mesh, count) {
  mesh.count = count;
  mesh.instanceMatrix.needsUpdate = true;
  if (mesh.instanceColor) mesh.instanceColor.needsUpdate = true;
}
