import assert from "node:assert/strict";
import { test } from "node:test";
import { show, shownIds } from "../../static/src/lib/jobs.js";

function part({ state = "running", mark, place, words = { textContent: "" }, bar = { value: 0 } } = {}) {
  return {
    dataset: { job: "7", jobState: state, jobMark: mark, jobPlace: place },
    querySelector: (selector) => (selector === "progress" ? bar : words),
  };
}

test("show changes words and bar in place while the state stays", () => {
  const words = { textContent: "10%" };
  const bar = { value: 0.1 };

  const changed = show(part({ words, bar }), { state: "running", text: "40% reading", progress: 0.4 });

  assert.equal(changed, false);
  assert.deepEqual([words.textContent, bar.value], ["40% reading", 0.4]);
});

test("show asks for the part anew when its state changed", () => {
  const words = { textContent: "10%" };

  assert.equal(show(part({ words }), { state: "done", text: "", progress: 1 }), true);
  assert.equal(words.textContent, "10%");
});

test("show asks for the part anew when its attempt or place changed, where the part says them", () => {
  const status = { state: "queued", mark: "queued-1-0-0", queue_position: 1, text: "", progress: 0 };

  assert.equal(show(part({ state: "queued", mark: "queued-0-0-0" }), status), true);
  assert.equal(show(part({ state: "queued", place: "2" }), status), true);
  assert.equal(show(part({ state: "queued", mark: "queued-1-0-0", place: "1" }), status), false);
});

test("shownIds names every job of the area", () => {
  const area = { querySelectorAll: () => [part(), part()] };

  assert.deepEqual(shownIds(area), ["7", "7"]);
});
