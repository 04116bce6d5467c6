// Bootstrap's own behaviours, each fetched only by a page that uses it.
const PARTS = {
  collapse: () => import("bootstrap/js/dist/collapse.js"),
  dropdown: () => import("bootstrap/js/dist/dropdown.js"),
  modal: () => import("bootstrap/js/dist/modal.js"),
  tab: () => import("bootstrap/js/dist/tab.js"),
};

export function startBootstrap(root = document) {
  const wanted = [...root.querySelectorAll("[data-bs-toggle]")].map((e) => e.dataset.bsToggle);
  for (const name of new Set(wanted)) PARTS[name]?.();
}
