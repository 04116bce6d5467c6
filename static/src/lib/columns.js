// Offers the columns of a chosen CSV file: what holds the file field, or the island that sends the file, has
// `data-columns-into="ID"`, the id of a datalist.
const HEAD_BYTES = 64 * 1024;

/** Watch the file fields below `root`. */
export function startColumns(root) {
  for (const holder of root.querySelectorAll("[data-columns-into]")) {
    holder.addEventListener("change", (event) => offer(holder, event.target.files?.[0]));
    holder.addEventListener("upload:chosen", (event) => offer(holder, event.detail));
    const early = chosenBefore(holder);
    if (early) offer(holder, early);
  }
}

/** The file that was chosen before this script came: by the page's own field, or by the island that took its place. */
function chosenBefore(holder) {
  const field = holder.querySelector("input[type=file]");
  return holder.querySelector("[data-island]")?.chosenFile ?? field?.files?.[0];
}

async function offer(holder, file) {
  const list = document.getElementById(holder.dataset.columnsInto);
  if (!list) return;
  const names = file ? columnsOf(await file.slice(0, HEAD_BYTES).text()) : [];
  list.replaceChildren(...names.map((name) => new Option(name, name)));
}

/** The names in the first line of a CSV text; quotes may hold commas. */
export function columnsOf(text) {
  const line = text.replace(/^\uFEFF/, "").split(/\r?\n/, 1)[0];
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  return cells
    .map((cell) => cell.replace(/,$/, "").trim())
    .map((cell) => (cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell))
    .filter(Boolean);
}
