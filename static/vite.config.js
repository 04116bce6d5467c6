// Builds every file of src/entries into dist/, with a manifest that dashboard/core/assets.py reads.
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";
import { precompress } from "./tools/precompress.js";
import { trimCss } from "./tools/trim-css.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const entries = readdirSync(`${here}src/entries`)
  .filter((name) => name.endsWith(".js"))
  .map((name) => `${here}src/entries/${name}`);

export default defineConfig(({ mode }) => ({
  root: here,
  // Relative addresses, so that the portal also works below a path prefix.
  base: "./",
  plugins: [vue(), trimCss(), mode === "production" && precompress()],
  define: {
    __VUE_OPTIONS_API__: false,
    __VUE_PROD_DEVTOOLS__: false,
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
  },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    // Data URLs would need a looser content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    cssTarget: ["chrome111", "firefox115", "safari16.4"],
    // Plotly is one file of 1.4 MB and is loaded only by pages with charts.
    chunkSizeWarningLimit: 1500,
    reportCompressedSize: false,
    rollupOptions: { input: entries, checks: { pluginTimings: false } },
  },
}));
