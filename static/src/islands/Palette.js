import { createApp } from "vue";
import Palette from "./Palette.vue";

/** The palette, added to the page; open() shows it. */
export function mount() {
  const host = document.createElement("div");
  document.body.append(host);
  return createApp(Palette).mount(host);
}
