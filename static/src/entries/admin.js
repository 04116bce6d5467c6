// The dashboard: its look on Flask-Admin, and the handlers that its pages' inline scripts may not have.
import "../styles/tokens.css";
import "../styles/admin.css";
import { startAdmin } from "../lib/admin.js";
import { startTheme } from "../lib/theme.js";
import { startToasts } from "../lib/toasts.js";

startTheme();
startToasts();
startAdmin();
