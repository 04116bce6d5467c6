// The page of a result: one cluster brought out in all plots, and the note that its owner has looked.
import { startClusterChoice } from "../lib/chart-linked.js";
import { sendJson } from "../lib/http.js";

startClusterChoice(document);
const seen = document.querySelector("[data-seen]")?.dataset.seen;
if (seen) sendJson(seen, {}).catch(() => {});
