// Fills `<div data-fragment="URL">` with HTML from another address of ours; what it held stays when that fails.
import { text } from "./texts.js";

export function startFragments(root, onLoaded) {
  for (const element of root.querySelectorAll("[data-fragment]")) load(element, onLoaded);
}

async function load(element, onLoaded) {
  const url = element.dataset.fragment;
  delete element.dataset.fragment;
  element.setAttribute("aria-busy", "true");
  try {
    element.innerHTML = await fetchFragment(url);
    // The part may have nothing to say: then it takes no room either.
    element.classList.remove("reserve");
    onLoaded(element);
  } catch {
    showFailure(element);
  } finally {
    element.removeAttribute("aria-busy");
  }
}

async function fetchFragment(url) {
  const response = await fetch(url, {
    credentials: "same-origin",
    headers: { Accept: "text/html", "X-Requested-With": "fragment" },
  });
  // A redirect leads to the sign-in page: a whole page has no place inside this one.
  if (!response.ok || response.redirected) throw new Error(`${url}: ${response.status}`);
  return response.text();
}

function showFailure(element) {
  const note = element.querySelector("[data-fragment-status]");
  if (note) note.textContent = text("fragmentFailed");
}
