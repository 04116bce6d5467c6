// Asks before a form with data-confirm="question" is sent.
import { text } from "./texts.js";

/** Whether the user said yes to `question`, asked in a dialog of the page. */
export function ask(question) {
  return new Promise((resolve) => {
    const dialog = build(question);
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

export function startConfirm() {
  document.addEventListener("submit", async (event) => {
    const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
    if (!question || event.target.dataset.confirmed !== undefined) return;
    event.preventDefault();
    // The answer comes later, so the events of this submission must not reach anybody else.
    event.stopImmediatePropagation();
    if (!(await ask(question))) return;
    event.target.dataset.confirmed = "";
    event.target.requestSubmit(event.submitter ?? undefined);
    delete event.target.dataset.confirmed;
  });
}

function build(question) {
  const dialog = document.createElement("dialog");
  const form = document.createElement("form");
  const words = document.createElement("p");
  const buttons = document.createElement("div");
  form.method = "dialog";
  words.textContent = question;
  words.id = "confirm-question";
  dialog.setAttribute("aria-labelledby", words.id);
  buttons.className = "actions justify-content-end";
  buttons.append(
    button("no", text("cancel"), "secondary"),
    button("yes", text("confirm"), "danger"),
  );
  form.append(words, buttons);
  dialog.append(form);
  return dialog;
}

function button(value, label, kind) {
  const element = document.createElement("button");
  element.value = value;
  element.textContent = label;
  element.className = `btn btn-${kind}`;
  // Enter must not delete anything by accident.
  element.autofocus = value === "no";
  return element;
}
