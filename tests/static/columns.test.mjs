import assert from "node:assert/strict";
import { test } from "node:test";
import { columnsOf } from "../../static/src/lib/columns.js";

test("columnsOf reads the first line", () => {
  assert.deepEqual(columnsOf("a,b,c\r\n1,2,3"), ["a", "b", "c"]);
});

test("columnsOf reads quoted names with commas and quotes, after a byte order mark", () => {
  assert.deepEqual(columnsOf('\uFEFF"a, b","say ""x""",c\n'), ["a, b", 'say "x"', "c"]);
});

test("columnsOf of nothing is nothing", () => {
  assert.deepEqual(columnsOf(""), []);
});
