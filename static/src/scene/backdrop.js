// A building model that an administrator sent, around the structure. Loaded only where there is one.
import { Box3, DirectionalLight, Group, HemisphereLight, TextureLoader, Vector3 } from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";

export class Backdrop {
  /** scene: a loaded glTF scene; it comes to stand around a box of this width and depth, its foot at 0. */
  constructor(scene, { width, depth }) {
    const box = new Box3().setFromObject(scene);
    const size = box.getSize(new Vector3());
    const scale = (Math.max(width, depth) * 1.9) / Math.max(size.x, size.z, 0.001);
    const centre = box.getCenter(new Vector3());
    scene.scale.setScalar(scale);
    scene.position.set(-centre.x * scale, -box.min.y * scale - 0.3, -centre.z * scale);
    const sun = new DirectionalLight("#fff6e6", 1.5);
    sun.position.set(5, 12, 8);
    // Only the model needs lamps: our own boxes have their light painted on.
    this.group = new Group().add(scene, sun, new HemisphereLight("#ffffff", "#b9c4c0", 2.1));
  }

  dispose() {
    this.group.removeFromParent();
    this.group.traverse((part) => {
      part.geometry?.dispose();
      for (const material of [part.material].flat().filter(Boolean)) {
        for (const value of Object.values(material)) if (value?.isTexture) value.dispose();
        material.dispose();
      }
    });
  }
}

/** The model at this address. Rejects when it cannot be read. */
export async function loadBackdrop(url, ground) {
  const loader = new GLTFLoader();
  // Pictures inside the model come as <img>: the page's policy lets blob: be shown, not fetched.
  loader.register((parser) => {
    parser.textureLoader = new TextureLoader(parser.options.manager);
    return { name: "ATRIUM_images" };
  });
  const { scene } = await loader.loadAsync(url);
  return new Backdrop(scene, ground);
}
