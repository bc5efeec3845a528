import { defineConfig, type Plugin } from "vite";

/** Every browser that runs this code reads WOFF2, so KaTeX's older copies of its fonts stay out of the package. */
const newestFontsOnly: Plugin = {
  name: "newest-fonts-only",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("katex") || !id.endsWith(".css")) return null;
    return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("[a-z]+"\)/g, "");
  },
};

// The two entries keep their names, so that templates can name them; what they load later is named by its content.
export default defineConfig({
  base: "/static/dist/",
  publicDir: false,
  plugins: [newestFontsOnly],
  build: {
    outDir: "../src/lenslab/web/static/dist",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    // The content security policy allows no data: fonts, so every asset stays a file.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1200,
    rollupOptions: {
      input: { page: "src/page.ts", theme: "src/theme.ts" },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
});
