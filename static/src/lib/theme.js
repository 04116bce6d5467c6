// Light, dark or the device's theme; the head script of the layout has set it before the first paint.
const KEY = "atrium-theme";
const CHOICES = ["light", "dark", "system"];
const device = globalThis.matchMedia?.("(prefers-color-scheme: dark)");

export function resolveTheme(choice, deviceIsDark) {
  return choice === "dark" || (choice === "system" && deviceIsDark) ? "dark" : "light";
}

export function setTheme(choice) {
  if (!CHOICES.includes(choice)) return;
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Storage is off: the choice lasts for this page.
  }
  document.documentElement.dataset.theme = choice;
  applyTheme();
}

export function startTheme() {
  device.addEventListener("change", applyTheme);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-theme-choice]");
    if (button) setTheme(button.dataset.themeChoice);
  });
  applyTheme();
}

function applyTheme() {
  const root = document.documentElement;
  const choice = root.dataset.theme ?? "system";
  const theme = resolveTheme(choice, device.matches);
  const changed = root.dataset.bsTheme !== theme;
  root.dataset.bsTheme = theme;
  for (const button of document.querySelectorAll("[data-theme-choice]"))
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  if (changed) document.dispatchEvent(new CustomEvent("theme:change", { detail: theme }));
}
