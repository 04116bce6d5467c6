import assert from "node:assert/strict";
import { test } from "node:test";
import { callOf } from "../../static/src/lib/admin.js";
import { eventOf } from "../../static/src/lib/events.js";
import { clock, fill, megabytes } from "../../static/src/lib/numbers.js";
import { matches } from "../../static/src/lib/palette-items.js";
import { isDue, resumeAt } from "../../static/src/lib/player.js";
import { compareCells } from "../../static/src/lib/tables.js";
import { resolveTheme } from "../../static/src/lib/theme.js";
import { trim } from "../../static/tools/trim-css.js";

test("callOf knows the dashboard's two calls and refuses any other", () => {
  assert.deepEqual(callOf({ faCall: "modelActions.execute", faArgs: '["delete"]' }), [
    "modelActions.execute",
    ["delete"],
  ]);
  assert.equal(callOf({ faCall: "alert", faArgs: "[1]" }), null);
  assert.equal(callOf({ faCall: "constructor" }), null);
});

test("eventOf turns a favourite off when it is on", () => {
  const form = (pressed) => ({
    dataset: { event: "favourite", item: "7" },
    querySelector: () => ({ getAttribute: () => pressed }),
  });

  assert.deepEqual(eventOf(form("false")), { item_id: 7, kind: "favourite" });
  assert.deepEqual(eventOf(form("true")), { item_id: 7, kind: "unfavourite" });
});

test("eventOf takes the stars from the button", () => {
  const form = { dataset: { event: "rating", item: "7" } };

  assert.deepEqual(eventOf(form, { value: "4" }), { item_id: 7, kind: "rating", value: 4 });
});

test("isDue after ten seconds of playing, or after a jump back", () => {
  assert.equal(isDue(19, 10), false);
  assert.equal(isDue(20, 10), true);
  assert.equal(isDue(3, 200), true);
});

test("resumeAt starts over when the video was at its end", () => {
  assert.equal(resumeAt(192, 600), 192);
  assert.equal(resumeAt(598, 600), 0);
  assert.equal(resumeAt(Number.NaN, 600), 0);
});

test("numbers read as people write them", () => {
  assert.equal(clock(192), "3:12");
  assert.equal(clock(3792), "1:03:12");
  assert.equal(megabytes(5 * 2 ** 20), "5.0 MB");
  assert.equal(megabytes(2 ** 31), "2.00 GB");
  assert.equal(fill("{sent} of {size}", { sent: 1 }), "1 of {size}");
});

test("compareCells orders numbers as numbers and words as words", () => {
  assert.ok(compareCells("9", "12") < 0);
  assert.ok(compareCells("12 %", "9 %") > 0);
  assert.ok(compareCells("Alpha", "beta", "en") < 0);
});

test("matches wants every word of the query", () => {
  assert.equal(matches({ label: "Python for analysts" }, "ana pyth"), true);
  assert.equal(matches({ label: "Python for analysts" }, "pyth rust"), false);
  assert.equal(matches({ label: "Python for analysts" }, ""), true);
});

test("resolveTheme follows the device only when asked to", () => {
  assert.equal(resolveTheme("system", true), "dark");
  assert.equal(resolveTheme("light", true), "light");
});

test("trim drops a rule only when every selector of it is unused", () => {
  const css = ".carousel {\n  color: red;\n}\n.carousel,\n.btn {\n  color: blue;\n}\n";

  assert.equal(trim(css), ".carousel,\n.btn {\n  color: blue;\n}\n");
});
