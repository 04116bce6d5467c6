// The scene's colours, from the page's own variables, so that light and dark follow the page.

export function readTheme(element) {
  const style = getComputedStyle(element);
  const value = (name) => style.getPropertyValue(name).trim();
  const dark = document.documentElement.dataset.bsTheme === "dark";
  return {
    dark,
    accent: value("--accent"),
    ink: value("--ink"),
    surface: value("--surface"),
    paper: dark ? "#0e1413" : "#f4f6f3",
    // Slabs are paper with a touch of their unit's colour; what is not meant fades towards the ground.
    slab: dark ? "#27332f" : "#ffffff",
    tint: dark ? 0.3 : 0.22,
    faded: dark ? "#1d2725" : "#dfe5e1",
    unknown: dark ? "#3a4642" : "#c9d1cd",
    column: dark ? "#5a6a65" : "#8fa099",
    edge: dark ? "#9fb3ad" : "#1d3a35",
    lit: dark ? "#ffd166" : "#d98500",
    sheet: dark ? "#e7eeeb" : "#ffffff",
    font: value("--sans") || "sans-serif",
  };
}
