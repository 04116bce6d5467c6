// The canvas with its WebGL context: made, fitted to its host, lost and restored, and given back.
import { SRGBColorSpace, WebGLRenderer } from "three";

const MOST_PIXELS_PER_PIXEL = 2;

/** Whether this browser draws WebGL at all. */
export function canDraw() {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return Boolean(context);
  } catch {
    return false;
  }
}

export class Stage {
  /** host: an element with a size; label: what the view is, for those who do not see it. */
  constructor(host, label) {
    this.host = host;
    this.isLost = false;
    this.renderer = new WebGLRenderer({ antialias: true, alpha: true, powerPreference: "default" });
    this.renderer.outputColorSpace = SRGBColorSpace;
    this.canvas = this.renderer.domElement;
    Object.assign(this.canvas, { tabIndex: 0, className: "scene-canvas" });
    // An application gets the arrow keys from screen readers, a picture does not.
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-label", label);
    host.append(this.canvas);
  }

  /** Call back when the host changes its size, and when the context is lost and comes back, until `signal`. */
  listen(signal, { resized, lost, restored }) {
    const on = (name, handler) => this.canvas.addEventListener(name, handler, { signal });
    on("webglcontextlost", (event) => {
      event.preventDefault();
      this.isLost = true;
      lost();
    });
    on("webglcontextrestored", () => {
      this.isLost = false;
      restored();
    });
    const sizes = new ResizeObserver(resized);
    sizes.observe(this.host);
    signal.addEventListener("abort", () => sizes.disconnect());
  }

  /** Fill the host; its width by its height, null while it has no size. */
  fit() {
    const { clientWidth: width, clientHeight: height } = this.host;
    if (!width || !height) return null;
    this.renderer.setPixelRatio(Math.min(MOST_PIXELS_PER_PIXEL, devicePixelRatio || 1));
    this.renderer.setSize(width, height);
    return width / height;
  }

  dispose() {
    this.renderer.dispose();
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }
}
