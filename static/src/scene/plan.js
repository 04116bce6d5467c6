// The picture of a floor, lying on its slab.
import { Mesh, MeshBasicMaterial, PlaneGeometry, SRGBColorSpace } from "three";

export class FloorPlan {
  constructor(floor, texture, scene) {
    this.floor = floor;
    texture.colorSpace = SRGBColorSpace;
    const { width, depth } = floor.wing;
    const material = new MeshBasicMaterial({ map: texture, transparent: true, opacity: 0.8 });
    this.mesh = new Mesh(new PlaneGeometry(width, depth), material);
    this.mesh.rotation.x = -Math.PI / 2;
    this.follow();
    scene.add(this.mesh);
  }

  follow() {
    const { wing, y } = this.floor;
    this.mesh.position.set(wing.x, y + 0.012, wing.z);
  }

  dispose() {
    this.mesh.removeFromParent();
    this.mesh.geometry.dispose();
    this.mesh.material.map.dispose();
    this.mesh.material.dispose();
  }
}
