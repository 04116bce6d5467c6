// Flask-Admin's inline handlers, by delegation: dashboard/core/admin/inline.py rewrites onclick="..." into data-fa-*.
//   data-fa-confirm="question"            ask, and stop the click unless the answer is yes
//   data-fa-call="name" data-fa-args=[..] one of the calls below; anything else is refused
//   data-fa-stop                          the click does nothing by itself

const CALLS = {
  "modelActions.execute": (name) => window.modelActions?.execute(name),
  "faForm.addInlineField": (element, id) => window.faForm?.addInlineField(element, id),
};

/** The call named by an element's data, as [name, arguments]; null when there is none we know. */
export function callOf(data) {
  const name = data.faCall;
  if (!name || !Object.hasOwn(CALLS, name)) return null;
  return [name, data.faArgs ? JSON.parse(data.faArgs) : []];
}

export function startAdmin() {
  // In the capture phase, so that a refused click reaches nobody else.
  document.addEventListener("click", onClick, true);
  document.addEventListener("submit", onSubmit, true);
}

function onClick(event) {
  const element = event.target.closest("[data-fa-confirm], [data-fa-call], [data-fa-stop]");
  if (!element) return;
  if (element.dataset.faConfirm && !window.confirm(element.dataset.faConfirm)) return refuse(event);
  if (element.dataset.faConfirm) element.form?.setAttribute("data-fa-asked", "");
  const call = callOf(element.dataset);
  if (call) run(call, element);
  if (call || element.dataset.faStop !== undefined) event.preventDefault();
}

function onSubmit(event) {
  const form = event.target;
  const button = form.querySelector("[data-fa-confirm]");
  if (!button || form.hasAttribute("data-fa-asked")) return form.removeAttribute("data-fa-asked");
  // Enter in a field sends a form without a click on its button.
  if (!window.confirm(button.dataset.faConfirm)) refuse(event);
}

function run([name, values], element) {
  CALLS[name](...values.map((value) => (value === "this" ? element : value)));
}

function refuse(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}
