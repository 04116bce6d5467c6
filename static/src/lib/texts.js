// Words and addresses that the page hands to its scripts (templates/layouts/_texts.html).
let texts;

/** The page's word for `name`, in the page's language. */
export function text(name) {
  if (!texts) {
    const block = document.getElementById("texts");
    texts = block ? JSON.parse(block.textContent) : {};
  }
  return texts[name] ?? "";
}

/** `path` below the address the portal is mounted at. */
export function address(path) {
  return text("root") + path;
}
