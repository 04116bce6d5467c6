// Picks rows of another list, in order: <div data-picker="address"> around ol[data-picked], template, and an input.
// The address answers ?query= with [[id, label], ...]. Without this script ids are typed into the input.

const DELAY_MS = 200;

export function startPickers() {
  for (const root of document.querySelectorAll("[data-picker]")) start(root);
}

function start(root) {
  const input = root.querySelector("input[list]");
  const options = root.querySelector("datalist");
  let timer = 0;
  input.addEventListener("input", () => {
    if (choose(root, input, options)) return;
    clearTimeout(timer);
    timer = setTimeout(() => suggest(root, input, options), DELAY_MS);
  });
  input.addEventListener("focus", () => suggest(root, input, options), { once: true });
  root.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    if (button) move(button.closest("li"), button.dataset.move);
  });
}

async function suggest(root, input, options) {
  const address = new URL(root.dataset.picker, location.href);
  address.searchParams.set("query", input.value);
  const response = await fetch(address, { headers: { Accept: "application/json" } });
  if (!response.ok) return;
  const found = await response.json();
  // An answer to what is no longer in the input came late.
  if (address.searchParams.get("query") !== input.value) return;
  options.replaceChildren(
    ...found.map(([id, label]) => {
      const option = document.createElement("option");
      option.value = label;
      option.dataset.id = id;
      return option;
    }),
  );
}

/** Take the suggestion that the input now equals into the list; false when there is none. */
function choose(root, input, options) {
  const option = [...options.options].find((each) => each.value === input.value);
  if (!option) return false;
  const list = root.querySelector("[data-picked]");
  const taken = [...list.querySelectorAll("input")].find(
    (each) => each.value === option.dataset.id,
  );
  if (taken) taken.checked = true;
  else list.append(entry(root, option.dataset.id, option.value));
  input.value = "";
  return true;
}

function entry(root, id, label) {
  const item = root.querySelector("template").content.firstElementChild.cloneNode(true);
  const box = item.querySelector("input");
  box.value = id;
  box.id = `${box.name}-${id}`;
  item.querySelector("label").htmlFor = box.id;
  item.querySelector("label").textContent = label;
  return item;
}

function move(item, way) {
  if (way === "up") item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  item.querySelector(`[data-move="${way}"]`).focus();
}
