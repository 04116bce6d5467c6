// What a chart gives up on a phone, so that its marks keep their room: long labels. Hover, table and files keep them.
const NARROW_PX = 520;
const LONGEST = 12;
const MOST_LABELS = 8;

export function isNarrow(element) {
  return element.clientWidth < NARROW_PX;
}

/** The changes, by dotted name, for a layout whose axes plotly has worked out. */
export function narrowChanges(fullLayout) {
  const axes = Object.keys(fullLayout).filter((name) => /^[xy]axis\d*$/.test(name));
  return Object.assign({}, ...axes.map((name) => axisChange(name, fullLayout[name])));
}

function axisChange(name, axis) {
  const labels = labelsOf(axis);
  if (name.startsWith("x") && labels.length > MOST_LABELS)
    return { [`${name}.showticklabels`]: false };
  if (!labels.some((label) => shorten(label) !== label)) return {};
  if (axis.tickmode === "array") return { [`${name}.ticktext`]: labels.map(shorten) };
  return { [`${name}.labelalias`]: Object.fromEntries(labels.map((l) => [l, shorten(l)])) };
}

function labelsOf(axis) {
  if (axis.tickmode === "array") return Array.from(axis.ticktext ?? [], String);
  return axis.type === "category" ? axis._categories.map(String) : [];
}

function shorten(label) {
  let room = LONGEST;
  const letters = [...label];
  // A Chinese character is as wide as two Latin letters.
  const end = letters.findIndex((letter) => {
    room -= letter.codePointAt(0) > 0x2e80 ? 2 : 1;
    return room < 0;
  });
  return end < 0 ? label : `${letters.slice(0, end - 1).join("")}…`;
}
