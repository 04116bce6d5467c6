// The colours of charts, taken from the page's tokens; a picture for a document gets ink on white.
const PRINT = { ink: "#15201d", muted: "#4c5b57", line: "#d5dcd7", paper: "#ffffff" };

/** The changes, by dotted name, that make a chart wear the tokens at `element`, or print colours without one. */
export function coloursFor(element, layout = {}) {
  const c = element ? tokensAt(element) : PRINT;
  const change = { paper_bgcolor: c.paper, plot_bgcolor: c.paper, "font.color": c.ink };
  if (element) change["font.family"] = getComputedStyle(element).fontFamily;
  const axes = Object.keys(layout).filter((name) => /^[xy]axis\d*$/.test(name));
  for (const axis of new Set(["xaxis", "yaxis", ...axes])) {
    change[`${axis}.gridcolor`] = c.line;
    change[`${axis}.zerolinecolor`] = c.line;
    change[`${axis}.linecolor`] = c.muted;
  }
  return change;
}

/** A copy of `layout` with the changes made. */
export function withChanges(layout, change) {
  const copy = structuredClone(layout ?? {});
  for (const [path, value] of Object.entries(change)) {
    const names = path.split(".");
    const last = names.pop();
    let place = copy;
    for (const name of names) {
      place[name] ??= {};
      place = place[name];
    }
    place[last] = value;
  }
  return copy;
}

function tokensAt(element) {
  const style = getComputedStyle(element);
  const token = (name) => style.getPropertyValue(name).trim();
  return {
    ink: token("--ink"),
    muted: token("--ink-2"),
    line: token("--line"),
    paper: "rgba(0,0,0,0)",
  };
}
