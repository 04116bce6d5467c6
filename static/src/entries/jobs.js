// Pages that show jobs: keeps their state, progress and log up to date.
import { startJobs } from "../lib/jobs.js";

startJobs(document);
