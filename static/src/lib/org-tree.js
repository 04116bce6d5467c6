// The dashboard's tree of units: a line dragged onto another becomes its neighbour, or its child when dropped on
// the right half. The buttons beside each line do the same without a mouse.
import { csrfToken, problemOf } from "./http.js";
import { toast } from "./toasts.js";

export function startOrgTree(root = document) {
  const tree = root.querySelector("[data-org-tree]");
  if (!tree) return;
  let dragged = null;
  tree.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("[data-unit]");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", dragged?.dataset.unit ?? "");
  });
  tree.addEventListener("dragover", (event) => {
    const line = event.target.closest("[data-unit]");
    if (!dragged || !line) return;
    event.preventDefault();
    clear(tree);
    line.dataset.drop = dropOf(line, event);
  });
  tree.addEventListener("dragend", () => clear(tree));
  tree.addEventListener("drop", (event) => {
    const line = event.target.closest("[data-unit]");
    event.preventDefault();
    if (dragged && line && line !== dragged)
      move(tree, dragged, targetOf(tree, line, dropOf(line, event), dragged));
    clear(tree);
  });
}

/** "into" on the right half of a line; else "before" or "after" it, by its middle. */
export function dropOf(line, { clientX, clientY }) {
  const frame = line.getBoundingClientRect();
  if (clientX > frame.left + frame.width / 2) return "into";
  return clientY < frame.top + frame.height / 2 ? "before" : "after";
}

/** Where a drop leads: the parent, and the place among its other children (none: the end). */
export function targetOf(tree, line, drop, dragged) {
  if (drop === "into") return { parent: line.dataset.unit };
  const { parent } = line.dataset;
  const siblings = [...tree.querySelectorAll(`[data-parent="${parent}"]`)].filter(
    (s) => s !== dragged,
  );
  return { parent, place: siblings.indexOf(line) + (drop === "after" ? 1 : 0) };
}

async function move(tree, dragged, target) {
  const body = new URLSearchParams({ unit: dragged.dataset.unit, ...target });
  const response = await fetch(tree.dataset.move, {
    method: "POST",
    body,
    credentials: "same-origin",
    headers: { Accept: "application/json", "X-CSRFToken": csrfToken() },
  });
  if (response.ok) location.reload();
  else toast((await problemOf(response)).message, "danger");
}

function clear(tree) {
  for (const line of tree.querySelectorAll("[data-drop]")) delete line.dataset.drop;
}
