// Takes `<div data-live="URL">` anew from that address every few seconds while the page is seen. What somebody is
// using (the focus is in it, or a dialog asks about it) stays as it is.
const EVERY_MS = 4000;

/** Keep the live parts below `root` up to date. */
export function startLive(root, everyMs = EVERY_MS) {
  for (const part of root.querySelectorAll("[data-live]")) watch(part, everyMs);
}

function watch(part, everyMs) {
  let timer = 0;

  async function turn() {
    if (!document.hidden && !inUse(part)) await refresh(part);
    timer = setTimeout(turn, everyMs);
  }

  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    timer = setTimeout(turn, document.hidden ? everyMs : 0);
  });
  timer = setTimeout(turn, everyMs);
}

function inUse(part) {
  return part.contains(document.activeElement) || document.querySelector("dialog[open]") !== null;
}

/** Take the part anew; whether it changed. What it held stays when that fails. */
export async function refresh(part) {
  try {
    const response = await fetch(part.dataset.live, {
      credentials: "same-origin",
      cache: "no-store",
      headers: { Accept: "text/html", "X-Requested-With": "fragment" },
    });
    // A redirect leads to the sign-in page: a whole page has no place inside this one.
    if (!response.ok || response.redirected) return false;
    const html = await response.text();
    const fresh = document.createElement("div");
    fresh.innerHTML = html;
    // Tokens of forms differ every time: only what people see counts.
    if (fresh.textContent === part.textContent) return false;
    part.replaceChildren(...fresh.childNodes);
    return true;
  } catch {
    return false;
  }
}
