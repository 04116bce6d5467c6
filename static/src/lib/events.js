// What a learner does: favourite, rating, dismissal. The forms work without this; with it the page stays.
import { HttpError, sendJson } from "./http.js";
import { address, text } from "./texts.js";
import { toast } from "./toasts.js";

const EVENTS = "/api/v1/events";

/** Record one event; keepalive lets it leave while the page closes. */
export function record(event, { keepalive = false } = {}) {
  return sendJson(address(EVENTS), event, { keepalive });
}

/** The event that a form stands for at this moment, from its data and the button pressed. */
export function eventOf(form, button) {
  const item_id = Number(form.dataset.item);
  if (form.dataset.event === "favourite") {
    const on = form.querySelector("[aria-pressed]")?.getAttribute("aria-pressed") === "true";
    return { item_id, kind: on ? "unfavourite" : "favourite" };
  }
  if (form.dataset.event === "rating")
    return { item_id, kind: "rating", value: Number(button?.value) };
  return { item_id, kind: form.dataset.event };
}

/** Records that the item of a `data-record-view` was looked at, once the page is really in front. */
export function startViews(root = document) {
  const item_id = Number(root.querySelector("[data-record-view]")?.dataset.recordView);
  if (!item_id) return;
  const send = () => record({ item_id, kind: "view" }).catch(() => {});
  if (document.visibilityState === "visible") send();
  else document.addEventListener("visibilitychange", send, { once: true });
}

export function startEvents() {
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.dataset.event || event.defaultPrevented) return;
    event.preventDefault();
    const what = eventOf(form, event.submitter);
    form.dataset.busy = "";
    try {
      await record(what);
      show(form, what);
    } catch (error) {
      // Signed out meanwhile: the plain form leads to the sign-in page and back.
      if (error instanceof HttpError && error.status === 401) form.submit();
      else toast(error.message || text("failed"), "danger");
    } finally {
      delete form.dataset.busy;
    }
  });
}

function show(form, what) {
  if (what.kind === "dismiss") return takeAway(form, what);
  if (what.kind === "rating") showStars(form, what.value);
  else showFavourite(form, what.kind === "favourite");
  toast(form.dataset.done ?? text("saved"), "success");
}

/** Hide the card of a dismissed item, and offer to bring it back. */
function takeAway(form, what) {
  const card = form.closest("[data-card]");
  if (card) card.hidden = true;
  const bringBack = async () => {
    try {
      await record({ item_id: what.item_id, kind: "undismiss" });
      if (card) card.hidden = false;
    } catch {
      toast(text("failed"), "danger");
    }
  };
  const undo = { label: text("undo"), run: bringBack };
  toast(form.dataset.done ?? text("saved"), "success", undo);
}

function showFavourite(form, on) {
  form.querySelector("[aria-pressed]").setAttribute("aria-pressed", String(on));
  // What the plain form would ask for next.
  if (form.elements.on) form.elements.on.value = on ? "0" : "1";
}

function showStars(form, stars) {
  for (const button of form.querySelectorAll("button[value]")) {
    button.toggleAttribute("data-on", Number(button.value) <= stars);
    button.setAttribute("aria-pressed", String(Number(button.value) === stars));
  }
}
