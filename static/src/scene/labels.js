// Names over the scene: plain elements with the page's fonts, so Chinese is as sharp as in the page. They never
// overlap, stay within the stage, and are left out behind walls and at flat angles.

const GAP = 3;
const MOST = 70;
// Where a name that finds its place taken is tried instead, in pixels below it.
const SHIFTS = [0, 26];

export class Labels {
  /** avoid: an element over the same stage that no name may cover, or null. */
  constructor(host, avoid) {
    this.avoid = avoid;
    this.host = document.createElement("div");
    this.host.className = "scene-labels";
    this.host.setAttribute("aria-hidden", "true");
    host.append(this.host);
    this.elements = new Map();
    this.shown = [];
  }

  /** Forget all names: others are coming, or the fonts changed. */
  clear() {
    this.host.replaceChildren();
    this.elements.clear();
    this.shown = [];
  }

  /**
   * Show what fits of `wanted`, the most important first:
   * {key, text, kind, lang, x, y (pixels), anchor: "middle" | "end"}.
   */
  place(wanted, width, height) {
    const taken = this.avoid ? [rectOf(this.avoid)] : [];
    this.shown = [];
    for (const label of wanted) {
      if (this.shown.length >= MOST) break;
      const element = this.elementOf(label);
      const boxes = SHIFTS.map((dy) =>
        boxOf({ ...label, y: label.y + dy }, element, width, height),
      );
      const box = boxes.find((each) => each && !taken.some((other) => overlap(each, other)));
      if (!box) continue;
      taken.push(box);
      this.shown.push({ ...label, box, element });
    }
    const keys = new Set(this.shown.map((label) => label.key));
    for (const [key, element] of this.elements) element.hidden = !keys.has(key);
    for (const { element, box, kind, lit } of this.shown) {
      element.className = `scene-label scene-label-${kind}${lit ? " is-lit" : ""}`;
      element.style.transform = `translate(${Math.round(box.x)}px, ${Math.round(box.y)}px)`;
    }
  }

  elementOf({ key, text, kind, lang }) {
    let element = this.elements.get(key);
    if (!element) {
      element = document.createElement("span");
      element.className = `scene-label scene-label-${kind}`;
      element.textContent = text;
      if (lang) element.lang = lang;
      this.host.append(element);
      this.elements.set(key, element);
      element.size = [element.offsetWidth, element.offsetHeight];
    }
    return element;
  }

  dispose() {
    this.host.remove();
  }
}

/** Where a label stands: beside its point, pushed back into the stage; null when its point is outside. */
export function boxOf({ x, y, anchor }, { size: [w, h] }, width, height) {
  if (x < -20 || y < -20 || x > width + 20 || y > height + 20) return null;
  const left = anchor === "end" ? x - w - 6 : x - w / 2;
  const top = anchor === "end" ? y - h / 2 : y - h - 4;
  return {
    x: Math.max(4, Math.min(width - w - 4, left)),
    y: Math.max(4, Math.min(height - h - 4, top)),
    w,
    h,
  };
}

function rectOf({ offsetLeft: x, offsetTop: y, offsetWidth: w, offsetHeight: h }) {
  return { x, y, w, h };
}

export function overlap(a, b) {
  return (
    a.x < b.x + b.w + GAP && b.x < a.x + a.w + GAP && a.y < b.y + b.h + GAP && b.y < a.y + a.h + GAP
  );
}
