// The dashboard's pages; loaded after site.js, which brings the portal's look and behaviours.
import "../styles/dashboard.css";
import { startAdmin } from "../lib/admin.js";
import { startCheckAll } from "../lib/check-all.js";
import { startOrgTree } from "../lib/org-tree.js";
import { startPickers } from "../lib/picker.js";

startAdmin();
startCheckAll();
startPickers();
startOrgTree();

// On a phone the menu is a row to swipe: start where the present page is.
document
  .querySelector(".dash-menu [aria-current]")
  ?.scrollIntoView({ inline: "center", block: "nearest" });
