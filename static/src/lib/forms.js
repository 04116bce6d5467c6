// Small helps for forms: focus on the error summary, no double sending, a question before changes are lost.
import { text } from "./texts.js";

export function startForms(root = document) {
  root.querySelector("[data-error-summary]")?.focus();
  document.addEventListener("submit", (event) => sendOnce(event));
  for (const form of root.querySelectorAll("form[data-guard]")) guard(form);
}

function sendOnce(event) {
  if (event.defaultPrevented || event.target.method !== "post") return;
  const form = event.target;
  if (form.dataset.sent !== undefined) event.preventDefault();
  form.dataset.sent = "";
  // Back from the next page, or a download: the form may be used again.
  setTimeout(() => delete form.dataset.sent, 4000);
}

function guard(form) {
  let changed = false;
  form.addEventListener("input", () => {
    changed = true;
  });
  form.addEventListener("submit", () => {
    changed = false;
  });
  addEventListener("beforeunload", (event) => {
    if (!changed) return;
    event.preventDefault();
    event.returnValue = text("unsaved");
  });
}
