// The house itself: slabs, rooms, columns, edges, shadows and the rims of lit rooms. Each kind is one instanced
// mesh or one set of lines, however many there are: a handful of draw calls.
import {
  BackSide,
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  DynamicDrawUsage,
  FrontSide,
  Group,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
} from "three";
import { boxes, linear, setBox, setColour, shadedBox, showBoxes } from "./boxes.js";
import { OPEN_ROOM, ROOM, SLAB, WALL } from "./layout.js";

// The twelve edges of a unit box that stands on its foot, as pairs of corners.
const CORNERS = [0, 1, 1, 3, 3, 2, 2, 0, 4, 5, 5, 7, 7, 6, 6, 4, 0, 4, 1, 5, 2, 6, 3, 7];

export class Building {
  constructor(plan) {
    this.plan = plan;
    this.group = new Group();
    this.box = shadedBox();
    this.slabs = this.instanced(plan.floors.length);
    this.rooms = this.instanced(plan.rooms.length);
    this.columns = this.instanced(plan.wings.length * 4);
    this.rims = this.instanced(plan.rooms.length, new MeshBasicMaterial());
    this.halo = new Mesh(this.box, new MeshBasicMaterial({ side: BackSide }));
    this.halo.visible = false;
    this.group.add(this.halo);
    this.edges = this.lines(plan.floors.length + plan.rooms.length);
    this.shadows = plan.wings.map((wing) => this.shadow(wing));
  }

  instanced(count, material) {
    const mesh = boxes(this.box, count, material);
    mesh.instanceMatrix.setUsage(DynamicDrawUsage);
    this.group.add(mesh);
    return mesh;
  }

  lines(nBoxes) {
    const geometry = new BufferGeometry();
    const positions = new BufferAttribute(new Float32Array(nBoxes * 72), 3);
    geometry.setAttribute("position", positions.setUsage(DynamicDrawUsage));
    const lines = new LineSegments(geometry, new LineBasicMaterial({ transparent: true }));
    lines.frustumCulled = false;
    this.group.add(lines);
    return lines;
  }

  shadow(wing) {
    const material = new MeshBasicMaterial({
      map: softSpot(),
      transparent: true,
      depthWrite: false,
    });
    const mesh = new Mesh(new PlaneGeometry(wing.width * 1.5, wing.depth * 1.7), material);
    mesh.rotation.x = -Math.PI / 2;
    mesh.position.set(wing.x, -SLAB - 0.02, wing.z);
    this.group.add(mesh);
    return mesh;
  }

  /**
   * Put everything where the floors and rooms say: floor.y, floor.shown and room.shown (0 to 1), room.height,
   * room.open. What is not shown is not sent to the renderer at all.
   */
  place() {
    const { floors, rooms } = this.plan;
    const edges = new Edges(this.edges.geometry);
    for (const floor of floors) {
      const box = slabBox(floor);
      setBox(this.slabs, floor.index, box, floor.shown);
      setColour(this.slabs, floor.index, floor.colour);
      if (floor.shown) edges.add(box);
    }
    showBoxes(this.slabs, floors.length);
    const shown = rooms.filter((room) => room.shown > 0);
    shown.forEach((room, i) => {
      const box = roomBox(room);
      setBox(this.rooms, i, box, room.shown);
      setColour(this.rooms, i, room.colour);
      if (room.outlined) edges.add(room.open ? { ...box, h: WALL } : box);
    });
    showBoxes(this.rooms, shown.length);
    edges.done();
    this.placeRims(shown.filter((room) => room.lit));
    this.placeColumns();
    this.fadeShadows();
  }

  placeRims(lit) {
    lit.forEach((room, i) => {
      const box = roomBox(room);
      const rim = { ...box, y: box.y - 0.005, h: 0.05, w: ROOM + 0.22, d: ROOM + 0.22 };
      setBox(this.rims, i, rim);
    });
    showBoxes(this.rims, lit.length);
  }

  placeColumns() {
    this.plan.wings.forEach((wing, w) => {
      const tops = this.plan.floors
        .filter((f) => f.wing === wing && f.shown)
        .map((f) => f.y - SLAB);
      const h = Math.max(0.01, ...tops);
      for (let corner = 0; corner < 4; corner++) {
        const x = wing.x + (corner & 1 ? 0.5 : -0.5) * (wing.width - 0.3);
        const z = wing.z + (corner & 2 ? 0.5 : -0.5) * (wing.depth - 0.3);
        setBox(this.columns, w * 4 + corner, { x, y: 0, z, w: 0.13, h, d: 0.13 });
      }
    });
    showBoxes(this.columns, this.columns.count);
  }

  /** Under an opened floor the ground is far away: its large soft shadow would cost more than all the rest. */
  fadeShadows() {
    this.plan.wings.forEach((wing, w) => {
      const opened = this.plan.floors.filter((f) => f.wing === wing).map((f) => f.opened);
      const shadow = this.shadows[w];
      shadow.material.opacity = this.darkness * (1 - Math.max(0, ...opened));
      shadow.visible = shadow.material.opacity > 0.01;
    });
  }

  /** Colour rooms and slabs: functions of a room or floor to [r, g, b] from 0 to 255; `place` shows it. */
  paint({ roomColour, slabColour, theme }) {
    for (const floor of this.plan.floors) floor.colour = linear(slabColour(floor));
    for (const room of this.plan.rooms) room.colour = linear(roomColour(room));
    this.columns.material.color.set(theme.column);
    this.rims.material.color.set(theme.lit);
    this.halo.material.color.set(theme.accent);
    this.edges.material.color.set(theme.edge);
    this.edges.material.opacity = theme.dark ? 0.5 : 0.38;
    this.darkness = theme.dark ? 0.75 : 0.3;
  }

  /** Show a glow around a room (a plate under an open one), or none. */
  glow(room) {
    this.halo.visible = Boolean(room);
    if (!room) return;
    const { x, y, z, w, h, d } = roomBox(room);
    this.halo.material.side = room.open ? FrontSide : BackSide;
    this.halo.position.set(x, room.open ? y - 0.005 : y - 0.04, z);
    this.halo.scale.set(w + 0.2, room.open ? 0.06 : h + 0.12, d + 0.2);
  }

  dispose() {
    for (const mesh of this.group.children) {
      mesh.geometry.dispose();
      mesh.material.map?.dispose();
      mesh.material.dispose();
      mesh.dispose?.();
    }
  }
}

export function slabBox(floor) {
  const { wing } = floor;
  return { x: wing.x, y: floor.y - SLAB, z: wing.z, w: wing.width, h: SLAB, d: wing.depth };
}

export function roomBox(room) {
  const h = room.open ? OPEN_ROOM : Math.max(0.04, room.height);
  return { x: room.x, y: room.floor.y, z: room.z, w: ROOM, h, d: ROOM };
}

/** What a line of sight may meet: {kind, floor, room, box} of all that is shown. */
export function solidsOf(plan) {
  const floors = plan.floors.filter((floor) => floor.shown > 0.5);
  return floors.flatMap((floor) => [
    { kind: "floor", floor, box: slabBox(floor) },
    ...floor.rooms
      .filter((room) => room.shown > 0.5)
      .map((room) => ({ kind: "room", room, floor, box: roomBox(room) })),
  ]);
}

/** Writes the edges of one box after another. */
class Edges {
  constructor(geometry) {
    this.geometry = geometry;
    this.array = geometry.attributes.position.array;
    this.next = 0;
  }

  add({ x, y, z, w, h, d }) {
    for (const corner of CORNERS) {
      this.array[this.next++] = x + (corner & 1 ? 0.5 : -0.5) * w;
      this.array[this.next++] = y + (corner & 2 ? h : 0);
      this.array[this.next++] = z + (corner & 4 ? 0.5 : -0.5) * d;
    }
  }

  done() {
    this.geometry.setDrawRange(0, this.next / 3);
    this.geometry.attributes.position.needsUpdate = true;
  }
}

function softSpot() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 64;
  const context = canvas.getContext("2d");
  const gradient = context.createRadialGradient(32, 32, 4, 32, 32, 32);
  gradient.addColorStop(0, "rgba(0,0,0,0.9)");
  gradient.addColorStop(0.55, "rgba(0,0,0,0.35)");
  gradient.addColorStop(1, "rgba(0,0,0,0)");
  context.fillStyle = gradient;
  context.fillRect(0, 0, 64, 64);
  return new CanvasTexture(canvas);
}
