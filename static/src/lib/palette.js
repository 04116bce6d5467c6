// Ctrl-K or the search button opens the palette; Vue and the palette are fetched on first use.
export function startPalette() {
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    open();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) open();
  });
}

let opening;

async function open() {
  opening ??= import("../islands/Palette.js").then((module) => module.mount());
  (await opening).open();
}
