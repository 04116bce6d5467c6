// The house itself: slabs, rooms, columns, edges, shadows and the rims of lit rooms. Each kind is one instanced
// mesh or one set of lines, however many there are: a handful of draw calls.
import {
  BackSide,
  BufferAttribute,
  BufferGeometry,
  CanvasTexture,
  DynamicDrawUsage,
  Group,
  LineBasicMaterial,
  LineSegments,
  Mesh,
  MeshBasicMaterial,
  PlaneGeometry,
} from "three";
import { boxes, setBox, setColour, shadedBox } from "./boxes.js";
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

  /** Put everything where the floors and rooms say: floor.y, floor.shown (0 or 1), room.height, room.open. */
  place() {
    const points = this.edges.geometry.attributes.position;
    let at = 0;
    for (const floor of this.plan.floors) {
      const box = slabBox(floor);
      setBox(this.slabs, floor.index, box, floor.shown);
      at = writeEdges(points.array, at, box, floor.shown);
    }
    for (const room of this.plan.rooms) {
      const box = roomBox(room);
      setBox(this.rooms, room.index, box, room.floor.shown);
      const walls = room.open ? { ...box, h: WALL } : box;
      at = writeEdges(points.array, at, walls, room.floor.shown);
      const rim = { ...box, y: box.y - 0.005, h: 0.05, w: ROOM + 0.22, d: ROOM + 0.22 };
      setBox(this.rims, room.index, rim, room.floor.shown && room.lit ? 1 : 0);
    }
    this.placeColumns();
    points.needsUpdate = true;
    for (const mesh of [this.slabs, this.rooms, this.columns, this.rims])
      mesh.instanceMatrix.needsUpdate = true;
  }

  placeColumns() {
    this.plan.wings.forEach((wing, w) => {
      const tops = this.plan.floors.filter((f) => f.wing === wing && f.shown).map((f) => f.y);
      const h = Math.max(0.01, ...tops);
      for (let corner = 0; corner < 4; corner++) {
        const x = wing.x + (corner & 1 ? 0.5 : -0.5) * (wing.width - 0.3);
        const z = wing.z + (corner & 2 ? 0.5 : -0.5) * (wing.depth - 0.3);
        setBox(this.columns, w * 4 + corner, { x, y: 0, z, w: 0.13, h, d: 0.13 }, 1);
      }
    });
  }

  /** Colour rooms and slabs: functions of a room or floor to [r, g, b] from 0 to 255. */
  paint({ roomColour, slabColour, theme }) {
    for (const floor of this.plan.floors) setColour(this.slabs, floor.index, slabColour(floor));
    for (const room of this.plan.rooms) setColour(this.rooms, room.index, roomColour(room));
    for (const mesh of [this.slabs, this.rooms])
      if (mesh.instanceColor) mesh.instanceColor.needsUpdate = true;
    this.columns.material.color.set(theme.column);
    this.rims.material.color.set(theme.lit);
    this.halo.material.color.set(theme.accent);
    this.edges.material.color.set(theme.edge);
    this.edges.material.opacity = theme.dark ? 0.5 : 0.38;
    for (const shadow of this.shadows) shadow.material.opacity = theme.dark ? 0.75 : 0.3;
  }

  /** Show a glow around a box, or none. */
  glow(box) {
    this.halo.visible = Boolean(box);
    if (!box) return;
    this.halo.position.set(box.x, box.y - 0.04, box.z);
    this.halo.scale.set(box.w + 0.16, box.h + 0.12, box.d + 0.16);
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

function writeEdges(array, at, { x, y, z, w, h, d }, shown) {
  const grow = shown ? 1 : 0;
  let next = at;
  for (const corner of CORNERS) {
    array[next++] = x + (corner & 1 ? 0.5 : -0.5) * w * grow;
    array[next++] = y + (corner & 2 ? h : 0) * grow;
    array[next++] = z + (corner & 4 ? 0.5 : -0.5) * d * grow;
  }
  return next;
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
