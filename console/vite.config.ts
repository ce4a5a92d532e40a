// One page, one script, one style sheet. What is built is compressed and copied by `build.mjs`.
import { defineConfig } from "vite";

export default defineConfig({
  base: "/console/",
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      checks: { pluginTimings: false },
      output: {
        codeSplitting: false,
        entryFileNames: "assets/console-[hash].js",
        assetFileNames: "assets/console-[hash][extname]",
      },
    },
  },
  // `npx vite` serves the sources, with the data of a gateway: OSTIA=http://127.0.0.1:8787 npx vite
  server: {
    proxy: {
      "/v1": {
        target: process.env.OSTIA ?? "http://127.0.0.1:8787",
        // The gateway takes calls from pages of its own only.
        configure: (proxy) => proxy.on("proxyReq", (request) => request.removeHeader("origin")),
      },
    },
  },
});
