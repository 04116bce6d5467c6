// Pages of the model service: parts that change by themselves, and the columns of a chosen table.
import { startColumns } from "../lib/columns.js";
import { startLive } from "../lib/live.js";

startLive(document);
startColumns(document);
