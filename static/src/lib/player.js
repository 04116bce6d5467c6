// `<video data-player>`: resumes where the learner stopped, reports how far she is, offers speeds.
// It needs data-item and data-video; data-position is the second to resume at.
import { record } from "./events.js";

const REPORT_EVERY_S = 10;

export function startPlayers(root = document) {
  for (const video of root.querySelectorAll("video[data-player]")) start(video);
}

/** Whether to report now: playback has really moved on by ten seconds, or jumped, since the last report. */
export function isDue(position, reported) {
  return Math.abs(position - reported) >= REPORT_EVERY_S;
}

/** Where to resume: not in the last seconds, where the end would show at once. */
export function resumeAt(position, duration) {
  if (!(position > 0)) return 0;
  return duration && position > duration - 5 ? 0 : position;
}

function start(video) {
  let reported = Number(video.dataset.position) || 0;
  const report = (options) => {
    // A video that never played makes no progress.
    if (!video.played.length || !video.dataset.item) return;
    reported = video.currentTime;
    const value = Math.round(video.currentTime * 10) / 10;
    record({ ...idsOf(video), kind: "watch", value, ...lengthOf(video) }, options).catch(() => {});
  };
  const leave = () => {
    if (Math.abs(video.currentTime - reported) >= 1) report({ keepalive: true });
  };
  const resume = () => {
    video.currentTime = resumeAt(reported, video.duration);
  };
  if (video.readyState >= 1) resume();
  else video.addEventListener("loadedmetadata", resume, { once: true });
  video.addEventListener("timeupdate", () => isDue(video.currentTime, reported) && report());
  video.addEventListener("pause", leave);
  video.addEventListener("ended", () => report());
  addEventListener("pagehide", leave);
  document.addEventListener("visibilitychange", () => document.hidden && leave());
  startSpeeds(video);
}

function idsOf(video) {
  return { item_id: Number(video.dataset.item), video_id: Number(video.dataset.video) };
}

function lengthOf(video) {
  return Number.isFinite(video.duration) ? { duration_s: video.duration } : {};
}

function startSpeeds(video) {
  const bar = video.closest("[data-player-box]");
  bar?.addEventListener("click", (event) => {
    const button = event.target.closest("[data-speed]");
    if (!button) return;
    video.playbackRate = Number(button.dataset.speed);
    for (const other of bar.querySelectorAll("[data-speed]"))
      other.setAttribute("aria-pressed", String(other === button));
  });
}
