import { createApp } from "vue";
import Upload from "./Upload.vue";

/** Replaces the plain form by a resumable upload; answers how to take it away again. */
export function mount(element, props) {
  const app = createApp(Upload, { ...props, host: element });
  app.mount(element);
  return () => app.unmount();
}
