// `<table data-sortable>`: a click on a column's head sorts the rows; jQuery comes only to pages with such a table.

export async function startTables(root = document) {
  if (!root.querySelector("table[data-sortable]")) return;
  const { default: $ } = await import("jquery/slim");
  $(root)
    .find("table[data-sortable]")
    .each((_, table) => makeSortable($, $(table)));
}

/** Order of two cells: as numbers when both are, else as words of the page's language. */
export function compareCells(a, b, language) {
  const [x, y] = [Number.parseFloat(a), Number.parseFloat(b)];
  if (!Number.isNaN(x) && !Number.isNaN(y) && isPlain(a) && isPlain(b)) return x - y;
  return a.localeCompare(b, language, { numeric: true });
}

function isPlain(value) {
  return /^[-+]?[\d\s,.]+%?$/.test(value.trim());
}

function makeSortable($, $table) {
  $table.find("thead th:not([data-unsorted])").each((index, head) => {
    const $button = $("<button type='button'>").text($(head).text().trim());
    $(head).empty().append($button).attr("aria-sort", "none");
    $button.on("click", () => sortBy($, $table, $(head), $(head).index() ?? index));
  });
}

function sortBy($, $table, $head, column) {
  const up = $head.attr("aria-sort") !== "ascending";
  const key = (row) => {
    const $cell = $(row).children().eq(column);
    return String($cell.attr("data-value") ?? $cell.text().trim());
  };
  const language = document.documentElement.lang;
  const rows = $table.find("tbody > tr").get();
  rows.sort((a, b) => (up ? 1 : -1) * compareCells(key(a), key(b), language));
  $table.find("tbody").append(rows);
  $table.find("th[aria-sort]").attr("aria-sort", "none");
  $head.attr("aria-sort", up ? "ascending" : "descending");
}
