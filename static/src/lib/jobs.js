// Live jobs. A page holds [data-jobs="status address"] with [data-job="id"][data-job-state] parts in it; one request
// asks for all of them. Words and bars are changed in place; a part whose state changed is taken anew from the page, and
// where it says so, also one whose [data-job-mark] or [data-job-place] in the queue changed.
import { getJson } from "./http.js";
import { toast } from "./toasts.js";

const FIRST_MS = 1000;
const AFTER_FAILURE_MS = 10000;
// What a part says of its job by data- attributes.
const SAID = ["jobState", "jobMark", "jobPlace"];

/** Keep the jobs below `root` up to date; asks nothing while the page is hidden. */
export function startJobs(root) {
  for (const area of root.querySelectorAll("[data-jobs]")) watch(area);
}

/** The ids of the jobs that `area` shows. */
export function shownIds(area) {
  return [...area.querySelectorAll("[data-job]")].map((part) => part.dataset.job);
}

/** Show `status` in `part`; whether more than that changed, so that the part must be taken anew. */
export function show(part, status) {
  if (isOther(part, status)) return true;
  const words = part.querySelector("[data-job-text]");
  if (words && words.textContent !== status.text) words.textContent = status.text;
  const bar = part.querySelector("progress");
  if (bar && status.progress > 0) bar.value = status.progress;
  return false;
}

function isOther(part, status) {
  const present = {
    jobState: status.state,
    jobMark: status.mark,
    jobPlace: String(status.queue_position ?? ""),
  };
  return SAID.some((name) => (part.dataset[name] ?? present[name]) !== present[name]);
}

function watch(area) {
  const last = { etag: "", pollMs: FIRST_MS, active: true };
  let timer = 0;

  async function turn() {
    let waitMs = AFTER_FAILURE_MS;
    try {
      await ask(area, last);
      waitMs = last.pollMs;
    } catch {
      // The server is away or the session has ended: what is shown stays, and the next turn tries again.
    }
    plan(waitMs);
  }

  function plan(waitMs) {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(turn, waitMs);
  }

  if (!shownIds(area).length) return;
  document.addEventListener("visibilitychange", () => plan(0));
  window.addEventListener("online", () => plan(0));
  plan(FIRST_MS);
}

async function ask(area, last) {
  const wasActive = last.active;
  const status = await askStatus(area.dataset.jobs, shownIds(area), last);
  if (status) await update(area, status.items, last);
  // Once more after the end, for the last lines.
  if (wasActive) await Promise.all([...document.querySelectorAll("[data-job-log]")].map(readOn));
}

async function askStatus(address, ids, last) {
  const headers = { Accept: "application/json" };
  if (last.etag) headers["If-None-Match"] = last.etag;
  const url = `${address}?ids=${ids.join(",")}`;
  const response = await fetch(url, { credentials: "same-origin", cache: "no-store", headers });
  if (response.status === 304) return null;
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const status = await response.json();
  last.etag = response.headers.get("ETag") ?? "";
  last.pollMs = status.poll_s * 1000;
  last.active = status.items.some((item) => item.active);
  return status;
}

async function update(area, items, last) {
  const parts = new Map(
    [...area.querySelectorAll("[data-job]")].map((part) => [part.dataset.job, part]),
  );
  let changed = false;
  for (const item of items) {
    const part = parts.get(String(item.id));
    if (part && show(part, item)) changed = true;
  }
  if (!changed) return;
  // What has ended may bring more to the page than its state.
  if ("reload" in area.dataset && !last.active) location.reload();
  else await takeAnew(area);
  if (area.dataset.done && items.some((item) => item.state === "done"))
    toast(area.dataset.done, "success");
}

async function takeAnew(area) {
  const response = await fetch(location.href, {
    credentials: "same-origin",
    headers: { Accept: "text/html" },
  });
  if (!response.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of area.querySelectorAll("[data-job]")) {
    const fresh = page.getElementById(part.id);
    if (fresh && differs(part, fresh)) part.replaceWith(document.adoptNode(fresh));
  }
}

function differs(part, fresh) {
  return SAID.some((name) => part.dataset[name] !== fresh.dataset[name]);
}

async function readOn(log) {
  const part = await getJson(`${log.dataset.jobLog}?offset=${log.dataset.offset}`);
  if (String(part.attempt) !== log.dataset.attempt) {
    // Another attempt has begun, with a log of its own.
    log.textContent = "";
    Object.assign(log.dataset, { attempt: part.attempt, offset: 0 });
    return readOn(log);
  }
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.append(part.text);
  log.dataset.offset = part.next_offset;
  if (atEnd) log.scrollTop = log.scrollHeight;
}
