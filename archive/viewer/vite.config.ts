// One script and one style sheet with fixed names, so that the server's pages can name them without a manifest.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../server/static",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    license: { fileName: "licences.md" },
    chunkSizeWarningLimit: 700,
    rollupOptions: {
      input: "src/main.ts",
      output: {
        entryFileNames: "viewer.js",
        assetFileNames: "viewer[extname]",
        codeSplitting: false,
      },
    },
  },
});
