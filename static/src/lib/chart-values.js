// The numbers behind a chart, as rows: for the CSV file and for the table beside the chart.

/** Rows of all traces; the first row names the columns. A heat map gives x, y and value. */
export function rowsOf(traces, seriesLabel, layout = {}) {
  const titles = [axisTitle(layout, "xaxis") || "x", axisTitle(layout, "yaxis") || "y"];
  const maps = traces.some((trace) => trace.z);
  const head = [seriesLabel, ...titles, ...(maps ? ["z"] : [])];
  return [head, ...traces.flatMap((trace) => (trace.z ? mapRows(trace) : pairRows(trace)))];
}

export function csvOf(rows) {
  return rows.map((row) => row.map(cell).join(",")).join("\r\n");
}

function pairRows(trace) {
  const x = Array.from(trace.x ?? trace.labels ?? []);
  const y = Array.from(trace.y ?? trace.values ?? []);
  const name = trace.name ?? "";
  const length = Math.max(x.length, y.length);
  return Array.from({ length }, (_, i) => [name, x[i] ?? i, y[i] ?? ""]);
}

function mapRows(trace) {
  const name = trace.name ?? "";
  return Array.from(trace.z).flatMap((row, j) =>
    Array.from(row, (value, i) => [name, trace.x?.[i] ?? i, trace.y?.[j] ?? j, value]),
  );
}

function axisTitle(layout, axis) {
  const title = layout?.[axis]?.title;
  return typeof title === "string" ? title : (title?.text ?? "");
}

function cell(value) {
  const words = value === null || value === undefined || Number.isNaN(value) ? "" : String(value);
  // A spreadsheet would run a text that starts like a formula.
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(words) ? `'${words}` : words;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
