// Brings `<div data-island="Name">` to life: now, when idle, or when it comes into view.
// An island is a module with mount(element, props) -> unmount(); until then its HTML is the fallback.
const ISLANDS = {
  AnalysisFiles: () => import("../islands/AnalysisFiles.js"),
  Chart: () => import("../islands/Chart.js"),
  Structure: () => import("../islands/Structure.js"),
  Upload: () => import("../islands/Upload.js"),
};

const mounted = new WeakSet();

export function startIslands(root = document) {
  for (const element of root.querySelectorAll("[data-island]")) {
    if (mounted.has(element)) continue;
    mounted.add(element);
    schedule(element, () => bringToLife(element));
  }
}

/** The props that the page wrote into the island. */
export function propsOf(element) {
  const block = element.querySelector(":scope > script[data-props]");
  return block ? JSON.parse(block.textContent) : {};
}

function schedule(element, start) {
  const when = element.dataset.when ?? "visible";
  if (when === "load") start();
  else if (when === "idle") idle(start);
  else whenVisible(element, start);
}

function idle(start) {
  if (window.requestIdleCallback) requestIdleCallback(start, { timeout: 2000 });
  else setTimeout(start, 200);
}

function whenVisible(element, start) {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      start();
    },
    { rootMargin: "200px" },
  );
  observer.observe(element);
}

async function bringToLife(element) {
  const load = ISLANDS[element.dataset.island];
  if (!load) return;
  try {
    const island = await load();
    const unmount = await island.mount(element, propsOf(element));
    element.dataset.ready = "";
    addEventListener("pagehide", (event) => !event.persisted && unmount?.(), { once: true });
  } catch (error) {
    element.dataset.failed = "";
    console.error(error);
  }
}
