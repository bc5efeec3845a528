import { defineConfig } from "vite";

// The report is one file that opens from a disk, so everything goes into one classic script and one style sheet, which the
// Python package puts into the page.
export default defineConfig({
  publicDir: false,
  build: {
    outDir: "../src/lenslab/report/static",
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    // Otherwise the script would bring its styles itself, which the page's policy forbids.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: { report: "src/report/main.ts" },
      output: { format: "iife", entryFileNames: "[name].js", assetFileNames: "report[extname]" },
    },
  },
});
