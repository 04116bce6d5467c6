import { createApp } from "vue";
import Upload from "./Upload.vue";

/** Replaces the plain form by a resumable upload; answers how to take it away again. */
export function mount(element, props) {
  // Somebody was quicker than this script: the file chosen in the plain form is sent.
  const chosen = element.querySelector("input[type=file]")?.files?.[0] ?? null;
  const app = createApp(Upload, { ...props, host: element, chosen });
  app.mount(element);
  return () => app.unmount();
}
