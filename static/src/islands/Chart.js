// Draws a plotly figure that Python made, in the page's colours, with exports and a table of its values.

import { linkClusters } from "../lib/chart-linked.js";
import { localeFor } from "../lib/chart-locale.js";
import { isNarrow, narrowChanges } from "../lib/chart-narrow.js";
import { coloursFor, withChanges } from "../lib/chart-theme.js";
import { csvOf, rowsOf } from "../lib/chart-values.js";
import { getJson } from "../lib/http.js";
import { saveBlob, saveUrl } from "../lib/save.js";

const NARROW_BAR = { "colorbar.thickness": 8, "colorbar.title.text": "" };
const EXPORT = { width: 1200, height: 700, scale: 2 };

export async function mount(element, props) {
  const plot = element.querySelector("[data-plot]");
  const status = element.querySelector("[data-status]");
  try {
    const { default: Plotly } = await import("plotly.js-cartesian-dist-min");
    const figure = await figureOf(element, props);
    await draw(Plotly, plot, figure, props);
    linkClusters(Plotly, plot);
    return wire(Plotly, element, plot, figure, props);
  } catch (error) {
    status.classList.remove("visually-hidden");
    status.textContent = props.texts.failed;
    throw error;
  }
}

/** The figure that stands in the page, or at the address it names. */
async function figureOf(element, props) {
  if (!props.url)
    return JSON.parse(element.querySelector(":scope > script[data-figure]").textContent);
  const { figure, note } = await getJson(props.url);
  element.querySelector("[data-note]").textContent = note;
  return figure;
}

async function draw(Plotly, plot, figure, props) {
  Plotly.register(localeFor(props.locale, props.texts));
  plot.setAttribute("role", "group");
  plot.setAttribute("aria-label", props.label);
  const layout = withChanges(figure.layout, coloursFor(plot, figure.layout));
  // The page has reserved the room; a size of the figure's own would be cut off or leave a gap.
  Object.assign(layout, { autosize: true, width: undefined, height: undefined });
  await Plotly.newPlot(plot, figure.data, layout, {
    responsive: true,
    displaylogo: false,
    // Its button would send the data to another company.
    showSendToCloud: false,
    modeBarButtonsToRemove: ["toImage", "select2d", "lasso2d"],
    displayModeBar: matchMedia("(hover: hover)").matches ? "hover" : false,
    locale: props.locale,
  });
  if (isNarrow(plot)) await Plotly.update(plot, NARROW_BAR, narrowChanges(plot._fullLayout));
}

function wire(Plotly, element, plot, figure, props) {
  const repaint = () => Plotly.relayout(plot, coloursFor(plot, figure.layout));
  document.addEventListener("theme:change", repaint);
  const table = element.querySelector("[data-table]");
  element
    .querySelector("details")
    ?.addEventListener("toggle", () => fillTable(table, plot, props), { once: true });
  element.addEventListener("click", (event) => {
    const format = event.target.closest("[data-export]")?.dataset.export;
    if (format) exportAs(Plotly, format, plot, figure, props);
  });
  return () => {
    document.removeEventListener("theme:change", repaint);
    Plotly.purge(plot);
  };
}

async function exportAs(Plotly, format, plot, figure, props) {
  if (format === "csv")
    // The mark tells spreadsheets that the file is UTF-8.
    return saveBlob(
      new Blob(["\ufeff", csvOf(valuesOf(plot, props))], { type: "text/csv" }),
      `${props.name}.csv`,
    );
  // A picture goes into documents: dark ink on white, whatever the theme of the page.
  // It leaves the page that says what it shows, so it says so itself.
  const change = { ...coloursFor(null, figure.layout), "title.text": props.label, "margin.t": 60 };
  const picture = { data: plot.data, layout: withChanges(plot.layout, change) };
  const url = await Plotly.toImage(picture, { format, ...EXPORT });
  saveUrl(url, `${props.name}.${format}`);
}

function valuesOf(plot, props) {
  // Plotly has unpacked the arrays in its own copy, but has put its own words where the figure has none.
  const traces = (plot._fullData ?? []).map((trace, index) => ({
    ...pick(trace, ["x", "y", "z", "labels", "values"]),
    name: plot.data[index].colorbar?.title?.text ?? plot.data[index].name,
  }));
  return rowsOf(traces, props.texts.series, plot.layout);
}

function pick(object, names) {
  return Object.fromEntries(names.map((name) => [name, object[name]]));
}

function fillTable(host, plot, props) {
  const [head, ...rows] = valuesOf(plot, props);
  const table = document.createElement("table");
  table.className = "table table-sm";
  table.createCaption().textContent = props.texts.rows;
  table.caption.className = "visually-hidden";
  const headRow = table.createTHead().insertRow();
  for (const name of head) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    headRow.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, 500)) {
    const line = body.insertRow();
    for (const value of row) line.insertCell().textContent = value;
  }
  host.tabIndex = 0;
  host.setAttribute("role", "region");
  host.setAttribute("aria-label", props.texts.rows);
  host.replaceChildren(table);
}
