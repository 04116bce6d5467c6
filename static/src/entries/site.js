// Every page of the portal: the look, and the behaviours that pages ask for by data- attributes.
import "bootstrap/dist/css/bootstrap.css";
import "../styles/tokens.css";
import "../styles/site.css";
import { startBootstrap } from "../lib/bootstrap.js";
import { startConfirm } from "../lib/confirm.js";
import { startCopy } from "../lib/copy.js";
import { startEvents, startViews } from "../lib/events.js";
import { startForms } from "../lib/forms.js";
import { startFragments } from "../lib/fragment.js";
import { startIslands } from "../lib/islands.js";
import { startNotices } from "../lib/notices.js";
import { startPalette } from "../lib/palette.js";
import { startPlayers } from "../lib/player.js";
import { startTables } from "../lib/tables.js";
import { startTheme } from "../lib/theme.js";
import { startToasts } from "../lib/toasts.js";

startTheme();
startToasts();
startConfirm();
startEvents();
startViews();
startForms();
startCopy();
startPalette();
startNotices();
startPart(document);
startFragments(document, startPart);

/** What is started in the page, and again in every part that is loaded later. */
function startPart(root) {
  startIslands(root);
  startBootstrap(root);
  startPlayers(root);
  startTables(root);
}
