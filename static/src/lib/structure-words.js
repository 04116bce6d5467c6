// What the tooltip of the 3D view says about a thing under the pointer.
import { RATES } from "../scene/scales.js";
import { fill } from "./numbers.js";

/** {title, lines} of a thing that was picked; measures: which a visitor may see; ways: her own, or null. */
export function wordsOf({ kind, item, room, floor }, { texts, measures, ways }) {
  if (kind === "item") {
    const done = ways?.courses[item.id];
    const lines = [fill(texts.nVideos, { count: item.videos })];
    if (done !== undefined) lines.push(`${texts.mine}: ${percent(done)}`);
    return { title: item.title, lines };
  }
  if (kind === "floor") {
    const lines = [fill(texts.nPositions, { count: floor.rooms.length })];
    return { title: floor.source.name, lines };
  }
  const { name: title, state, text, values } = room.source;
  if (state) return { title, lines: [text, texts.states[state]] };
  const lines = measures
    .filter((name) => name !== "mine" || values.mine !== null)
    .map((name) => `${texts[name]}: ${shown(name, values[name], texts)}`);
  return { title, lines };
}

function shown(name, value, texts) {
  if (value === null || value === undefined) return texts.unknown;
  return RATES.has(name) ? percent(value) : value.toLocaleString();
}

function percent(share) {
  return `${Math.round(share * 100)} %`;
}
