import assert from "node:assert/strict";
import { test } from "node:test";
import { formatFor, localeFor } from "../../static/src/lib/chart-locale.js";
import { narrowChanges } from "../../static/src/lib/chart-narrow.js";
import { withChanges } from "../../static/src/lib/chart-theme.js";
import { csvOf, rowsOf } from "../../static/src/lib/chart-values.js";

test("rowsOf gives a row for each point, under the axes' titles", () => {
  const layout = { xaxis: { title: { text: "Course" } }, yaxis: { title: { text: "Views" } } };
  const traces = [{ name: "week", x: ["a", "b"], y: new Float32Array([1, 2.5]) }];

  assert.deepEqual(rowsOf(traces, "Series", layout), [
    ["Series", "Course", "Views"],
    ["week", "a", 1],
    ["week", "b", 2.5],
  ]);
});

test("rowsOf gives a row for each cell of a heat map", () => {
  const traces = [{ x: ["p", "q"], y: ["r"], z: [[0.5, 0.25]] }];

  assert.deepEqual(rowsOf(traces, "Series").slice(1), [
    ["", "p", "r", 0.5],
    ["", "q", "r", 0.25],
  ]);
});

test("csvOf quotes what needs it and disarms formulas, but no number", () => {
  const rows = [['say "hi", you', "=1+1", -3, null]];

  assert.equal(csvOf(rows), `"say ""hi"", you",'=1+1,-3,`);
});

test("withChanges sets dotted names in a copy", () => {
  const layout = { font: { size: 12 } };

  const changed = withChanges(layout, { "font.color": "#fff", "xaxis.gridcolor": "#eee" });

  assert.deepEqual(changed, { font: { size: 12, color: "#fff" }, xaxis: { gridcolor: "#eee" } });
  assert.deepEqual(layout, { font: { size: 12 } });
});

test("formatFor names days from Sunday and months in the language", () => {
  assert.equal(formatFor("zh-CN").days[0], "星期日");
  assert.equal(formatFor("zh-CN").months.length, 12);
  assert.equal(formatFor("en").shortDays[1], "Mon");
  assert.equal(formatFor("en").decimal, ".");
});

test("localeFor hands the page's words to plotly", () => {
  assert.equal(localeFor("zh-CN", { Zoom: "缩放" }).dictionary.Zoom, "缩放");
});

test("narrowChanges shortens long names and hides a crowd of them", () => {
  const crowd = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];
  const layout = {
    xaxis: { type: "category", _categories: crowd },
    yaxis: { type: "category", _categories: ["short", "a very long course name"] },
    yaxis2: { type: "linear" },
  };

  assert.deepEqual(narrowChanges(layout), {
    "xaxis.showticklabels": false,
    "yaxis.labelalias": { short: "short", "a very long course name": "a very long…" },
  });
});
