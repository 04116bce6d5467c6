// Buttons with data-copy="text" put that text on the clipboard.
import { text } from "./texts.js";
import { toast } from "./toasts.js";

export function startCopy() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      toast(text("copied"), "success");
    } catch {
      toast(text("failed"), "danger");
    }
  });
}
