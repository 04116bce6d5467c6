import { createApp } from "vue";
import AnalysisFiles from "./AnalysisFiles.vue";

export function mount(element, props) {
  const app = createApp(AnalysisFiles, { ...props, host: element });
  app.mount(element);
  return () => app.unmount();
}
