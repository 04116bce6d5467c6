// Short messages in the page's live region. Successes leave by themselves, problems stay until dismissed.
import { text } from "./texts.js";

const STAYS_MS = 8000;
const LEAVES = new Set(["success", "info", "message"]);

/** Show and speak `message`; kind: success, info, warning or danger; action: a button with label and run. */
export function toast(message, kind = "info", action = null) {
  const region = document.querySelector("[data-toasts]");
  if (!region || !message) return;
  const note = document.createElement("div");
  note.className = `note note-${kind}`;
  note.dataset.toast = kind;
  const words = document.createElement("p");
  words.textContent = message;
  note.append(words, ...(action ? [actionButton(note, action)] : []), closeButton());
  region.append(note);
  leaveLater(note);
}

export function startToasts() {
  const region = document.querySelector("[data-toasts]");
  if (!region) return;
  region.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss-toast]")) event.target.closest(".note").remove();
  });
  speakAgain(region);
}

function speakAgain(region) {
  // A live region only speaks what is added after the page has loaded.
  const notes = [...region.children];
  if (!notes.length) return;
  setTimeout(() => {
    region.append(...notes);
    notes.forEach(leaveLater);
  }, 150);
}

function leaveLater(note) {
  if (!LEAVES.has(note.dataset.toast)) return;
  let timer = setTimeout(() => note.remove(), STAYS_MS);
  note.addEventListener("pointerenter", () => clearTimeout(timer));
  note.addEventListener("pointerleave", () => {
    timer = setTimeout(() => note.remove(), STAYS_MS);
  });
}

function actionButton(note, action) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "note-action";
  button.textContent = action.label;
  button.addEventListener("click", () => {
    note.remove();
    action.run();
  });
  return button;
}

function closeButton() {
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.dismissToast = "";
  button.setAttribute("aria-label", text("close"));
  button.textContent = "×";
  return button;
}
