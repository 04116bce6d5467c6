import { createApp } from "vue";
import { canDraw } from "../scene/stage.js";
import Structure from "./Structure.vue";

/** Puts the 3D view beside the list; where the browser cannot draw it, a line says so and the list remains. */
export function mount(element, props) {
  if (!canDraw()) {
    const note = document.createElement("p");
    note.className = "note note-info";
    note.setAttribute("role", "status");
    note.textContent = props.texts.none;
    element.replaceChildren(note);
    element.closest("[data-structure]")?.setAttribute("data-flat", "");
    return () => {};
  }
  const app = createApp(Structure, { ...props, host: element });
  app.mount(element);
  return () => app.unmount();
}
