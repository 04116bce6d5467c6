import { createApp } from "vue";
import Upload from "./Upload.vue";

/** Replaces the plain form by a resumable upload; answers how to take it away again. */
export function mount(element, props) {
  // Somebody may be quicker than this script: a file that she chose in the plain form is sent, also when she was
  // still choosing while the form was replaced.
  const plain = element.querySelector("input[type=file]");
  const app = createApp(Upload, { ...props, host: element, plain });
  app.mount(element);
  return () => app.unmount();
}
