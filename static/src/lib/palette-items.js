// What the palette offers without asking the server.
import { setTheme } from "./theme.js";

/** The pages that the menu of this visitor leads to. */
export function pagesOf(root) {
  const links = root.querySelectorAll("#menu a[href]");
  // The menu holds some pages twice, for wide and narrow screens.
  const pages = new Map([...links].map((link) => [link.href, link.textContent.trim()]));
  return [...pages].map(([href, label]) => ({ key: href, label, hint: "", href }));
}

export function themesOf(text) {
  return [
    { key: "light", label: text("themeLight"), hint: "", run: () => setTheme("light") },
    { key: "dark", label: text("themeDark"), hint: "", run: () => setTheme("dark") },
    { key: "system", label: text("themeSystem"), hint: "", run: () => setTheme("system") },
  ];
}

/** Whether every word of the query occurs in the entry. */
export function matches(entry, query) {
  const label = entry.label.toLowerCase();
  return query
    .toLowerCase()
    .split(/\s+/)
    .every((word) => label.includes(word));
}
