// The camera on its sphere around a point: drag turns, shift-drag moves, wheel (with Ctrl, or once the view has
// the focus) and two fingers zoom, arrow keys turn. A finger that moves up or down scrolls the page.
import { PerspectiveCamera, Vector3 } from "three";

const LOWEST = 0.06;
const HIGHEST = 1.45;
const TURN = 0.0055;

export class Rig {
  constructor(canvas, changed) {
    this.camera = new PerspectiveCamera(32, 1, 0.5, 2000);
    this.view = { x: 0, y: 0, z: 0, theta: 0.62, phi: 0.5, radius: 30 };
    this.changed = changed;
    this.pointers = new Map();
    this.moved = 0;
    this.canvas = canvas;
    this.radii = [2, 400];
  }

  listen(signal) {
    const on = (name, handler, options = {}) =>
      this.canvas.addEventListener(name, handler, { signal, ...options });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const name of ["pointerup", "pointercancel"]) on(name, (event) => this.up(event));
    on("wheel", (event) => this.wheel(event), { passive: false });
  }

  down(event) {
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved = 0;
    if (event.pointerType !== "touch") this.canvas.setPointerCapture?.(event.pointerId);
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const [dx, dy] = [event.clientX - before[0], event.clientY - before[1]];
    const spread = this.spread();
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    this.moved += Math.abs(dx) + Math.abs(dy);
    if (this.pointers.size === 2) {
      if (spread > 0) this.zoom(spread / this.spread());
    } else if (event.shiftKey || event.buttons === 2) this.pan(dx, dy);
    else this.turn(-dx * TURN, dy * TURN);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
  }

  wheel(event) {
    if (!event.ctrlKey && document.activeElement !== this.canvas) return;
    event.preventDefault();
    this.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.004));
  }

  turn(theta, phi) {
    this.view.theta += theta;
    this.view.phi = Math.min(HIGHEST, Math.max(LOWEST, this.view.phi + phi));
    this.changed();
  }

  zoom(factor) {
    const [least, most] = this.radii;
    this.view.radius = Math.min(most, Math.max(least, this.view.radius * factor));
    this.changed();
  }

  pan(dx, dy) {
    const scale = (this.view.radius / this.canvas.clientHeight) * 0.6;
    const [sin, cos] = [Math.sin(this.view.theta), Math.cos(this.view.theta)];
    this.view.x -= (dx * cos + dy * sin) * scale;
    this.view.z -= (-dx * sin + dy * cos) * scale;
    this.changed();
  }

  spread() {
    const [a, b] = [...this.pointers.values()];
    return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
  }

  /** The view from which the box fills the stage and stands in its middle. */
  fit({ min, max }, angles = {}) {
    const { theta = this.view.theta, phi = this.view.phi } = angles;
    const axes = axesOf(theta, phi);
    const vertical = Math.tan((this.camera.fov * Math.PI) / 360);
    const slopes = { right: vertical * this.camera.aspect, up: vertical };
    const corners = cornersOf(min, max);
    const centre = min.map((low, i) => (low + max[i]) / 2);
    let radius = radiusFor(corners, centre, axes, slopes);
    // What is near looks larger, so the middle of the picture is not that of the box: move towards it.
    for (let step = 0; step < 6; step++) {
      for (const axis of ["right", "up"]) {
        const seen = corners.map((corner) => seenAt(corner, centre, axes, axis, radius));
        const off = ((Math.min(...seen) + Math.max(...seen)) / 2) * radius;
        for (let i = 0; i < 3; i++) centre[i] += axes[axis][i] * off;
      }
      radius = radiusFor(corners, centre, axes, slopes);
    }
    this.radii = [2, Math.max(this.radii[1], radius * 2.5)];
    return { x: centre[0], y: centre[1], z: centre[2], theta, phi, radius: radius * 1.1 };
  }

  /** How large a metre in the middle of the view is. */
  get pixelsPerMetre() {
    const height = 2 * Math.tan((this.camera.fov * Math.PI) / 360) * this.view.radius;
    return this.canvas.clientHeight / height;
  }

  /** Put the camera where the view says. */
  apply() {
    const { x, y, z, theta, phi, radius } = this.view;
    const flat = Math.cos(phi) * radius;
    this.camera.position.set(
      x + Math.sin(theta) * flat,
      y + Math.sin(phi) * radius,
      z + Math.cos(theta) * flat,
    );
    this.camera.near = Math.max(0.2, radius / 40);
    this.camera.far = radius * 12 + 100;
    this.camera.lookAt(new Vector3(x, y, z));
    this.camera.updateProjectionMatrix();
    this.camera.updateMatrixWorld();
  }
}

/** How far from `centre` the eye must be for all corners to be in sight. */
function radiusFor(corners, centre, axes, slopes) {
  let radius = 0;
  for (const corner of corners) {
    const from = corner.map((part, i) => part - centre[i]);
    const depth = dot(from, axes.back);
    for (const axis of ["right", "up"])
      radius = Math.max(radius, depth + Math.abs(dot(from, axes[axis])) / slopes[axis]);
  }
  return radius;
}

/** Where on the picture's axis a corner appears, as a slope. */
function seenAt(corner, centre, axes, axis, radius) {
  const from = corner.map((part, i) => part - centre[i]);
  return dot(from, axes[axis]) / Math.max(0.1, radius - dot(from, axes.back));
}

function axesOf(theta, phi) {
  const [st, ct, sp, cp] = [Math.sin(theta), Math.cos(theta), Math.sin(phi), Math.cos(phi)];
  return { back: [st * cp, sp, ct * cp], right: [ct, 0, -st], up: [-st * sp, cp, -ct * sp] };
}

function cornersOf(min, max) {
  const ends = [min, max];
  return Array.from({ length: 8 }, (_, i) => [
    ends[i & 1][0],
    ends[(i >> 1) & 1][1],
    ends[(i >> 2) & 1][2],
  ]);
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
