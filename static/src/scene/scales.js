// From values to colours and heights. Lightness alone tells the steps apart, so every kind of eye reads it
// (one hue from sand to deep sea); on dark ground the light end is the high one.

const STEPS = ["#efe9c9", "#b5d9ba", "#63b8a8", "#2d8b91", "#17586f"];
const DARK_STEPS = ["#1f4552", "#2d7f86", "#5cb8a7", "#addcb9", "#f4f3d0"];
export const STATE_COLOURS = { ok: "#2c8fb8", busy: "#e6a520", failed: "#c0392b", off: "#8b9894" };

export function steps(dark) {
  return dark ? DARK_STEPS : STEPS;
}

/** The colour of a share from 0 to 1, as [r, g, b] from 0 to 255. */
export function colourOf(share, dark) {
  const list = steps(dark);
  const at = Math.min(1, Math.max(0, share)) * (list.length - 1);
  const low = Math.min(list.length - 2, Math.floor(at));
  return mix(parse(list[low]), parse(list[low + 1]), at - low);
}

export function parse(hex) {
  const number = Number.parseInt(hex.slice(1), 16);
  return [(number >> 16) & 255, (number >> 8) & 255, number & 255];
}

/** [r, g, b] as CSS has it. */
export function css(colour) {
  return `rgb(${colour.map(Math.round).join(" ")})`;
}

export function mix(a, b, t) {
  return a.map((part, i) => part + (b[i] - part) * t);
}

/** Shares of the largest value: key -> 0 to 1, null where nothing is known. Rates are shares already. */
export function sharesOf(rooms, measure) {
  const values = rooms.map((room) => room.source.values[measure] ?? null);
  const isRate = RATES.has(measure);
  const largest = isRate ? 1 : Math.max(0, ...values.filter((value) => value !== null));
  return {
    largest,
    shares: values.map((value) =>
      value === null ? null : largest > 0 ? Math.min(1, value / largest) : 0,
    ),
  };
}

export const RATES = new Set(["completion", "mine", "load"]);
