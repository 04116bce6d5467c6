// Offers the columns of a chosen CSV file: `<input type="file" data-columns-into="ID">` fills the datalist of that id.
const HEAD_BYTES = 64 * 1024;

/** Watch the file fields below `root`. */
export function startColumns(root) {
  for (const field of root.querySelectorAll("[data-columns-into]"))
    field.addEventListener("change", () => offer(field));
}

async function offer(field) {
  const list = document.getElementById(field.dataset.columnsInto);
  const file = field.files?.[0];
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
