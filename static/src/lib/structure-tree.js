// Ties the list to the 3D view: what has the focus or the pointer in one lights up in the other.

/** Listen to both; answers how to let go. */
export function tieTree(tree, structure) {
  if (!tree) return () => {};
  const listening = new AbortController();
  const { signal } = listening;
  const on = (target, name, handler) => target.addEventListener(name, handler, { signal });
  const keyOf = (event) => event.target.closest?.("[data-room]")?.dataset.room ?? null;
  for (const name of ["focusin", "pointerover"])
    on(tree, name, (event) => structure.highlight(keyOf(event)));
  for (const name of ["focusout", "pointerleave"]) on(tree, name, () => structure.highlight(null));
  on(tree, "click", (event) => {
    const branch = event.target.closest("summary")?.parentElement;
    if (!branch) return;
    const isChosen = branch.hasAttribute("data-chosen");
    // The first click on an open branch goes there and leaves it open; the next one closes it.
    if (branch.open && !isChosen && structure.hasFloor(branch.dataset.unit)) event.preventDefault();
    if (isChosen) structure.showAll();
    else structure.choose(branch.dataset.unit);
  });
  on(structure, "hover", ({ detail }) => mark(tree, "data-lit", "data-room", detail.room));
  on(structure, "choose", ({ detail }) => {
    const branch = mark(tree, "data-chosen", "data-unit", detail.key);
    for (let part = branch; part; part = part.parentElement?.closest("details")) part.open = true;
  });
  return () => listening.abort();
}

/** Give the one line of this key the attribute, and take it from all others; the line. */
function mark(tree, attribute, name, key) {
  for (const other of tree.querySelectorAll(`[${attribute}]`)) other.removeAttribute(attribute);
  const line = key === null ? null : tree.querySelector(`[${name}="${CSS.escape(key)}"]`);
  line?.setAttribute(attribute, "");
  if (line) keepInSight(tree, line);
  return line;
}

/** Scroll the list, never the page, so that the line is in sight. */
function keepInSight(tree, line) {
  const [outer, inner] = [tree.getBoundingClientRect(), line.getBoundingClientRect()];
  if (inner.top < outer.top) tree.scrollTop -= outer.top - inner.top + 8;
  else if (inner.top > outer.bottom - 40) tree.scrollTop += inner.top - outer.bottom + 80;
}
