// The bell in the header. The page brings it as it is; here it is taken anew, often while a job of hers waits or runs,
// seldom otherwise, never while the page is hidden. What has just ended is also said in a toast. On the page of a job,
// [data-read-notice], its own notice is read already.
import { csrfToken } from "./http.js";
import { refresh } from "./live.js";
import { toast } from "./toasts.js";

const ACTIVE_MS = 3000;
const IDLE_MS = 60000;
const MOST_TOASTS = 3;
const KINDS = { done: "success", failed: "warning" };

/** Keep the bell up to date. */
export function startNotices(root = document, waits = { active: ACTIVE_MS, idle: IDLE_MS }) {
  const bell = root.querySelector("[data-notices]");
  if (!bell) return;
  bell.dataset.live = bell.dataset.notices;
  let timer = 0;

  async function turn() {
    if (!inUse(bell)) await renew(bell);
    plan();
  }

  function plan(waitMs = wait(bell, waits)) {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(turn, waitMs);
  }

  document.addEventListener("visibilitychange", () => plan(0));
  readHere(bell).then(() => plan());
}

/** The keys of the unread notices in `bell`. */
export function unread(bell) {
  return [...bell.querySelectorAll("[data-notice][data-unread]")].map(
    (each) => each.dataset.notice,
  );
}

async function renew(bell) {
  const known = new Set(unread(bell));
  if (!(await refresh(bell))) return;
  const fresh = unread(bell).filter((key) => !known.has(key));
  for (const key of fresh.slice(0, MOST_TOASTS))
    announce(bell.querySelector(`[data-notice="${key}"]`));
  await readHere(bell);
}

async function readHere(bell) {
  const address = document.querySelector("[data-read-notice]")?.dataset.readNotice;
  if (!address || !bell.querySelector(`[data-unread][action="${address}"]`)) return;
  const headers = { "X-CSRFToken": csrfToken() };
  // Where it leads to is of no interest.
  const options = { method: "POST", credentials: "same-origin", redirect: "manual", headers };
  await fetch(address, options).catch(() => {});
  await refresh(bell);
}

function announce(notice) {
  const words = [".notice-what", ".badge"].map((part) => notice.querySelector(part).textContent);
  toast(words.join(": "), KINDS[notice.dataset.state]);
}

// Somebody reads it or is on her way through it.
function inUse(bell) {
  return bell.contains(document.activeElement) || bell.querySelector(":popover-open") !== null;
}

function wait(bell, waits) {
  const state = bell.querySelector("[data-notices-state]")?.textContent;
  return waits[state] ?? waits.idle;
}
