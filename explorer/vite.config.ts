import { createHash } from "node:crypto";
import { resolve } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { contractChecks } from "./contractChecks.ts";

/** Where `vite dev` finds index.json and the maps: a run's results, served beside the page. */
const RESULTS = resolve(import.meta.dirname, "../results");

/** The fonts of other scripts than Latin: stored when they are first needed. */
const LATER = /inter-(?!latin-wght).*\.woff2$/;

/** Writes the lists of the build's files into the service worker. */
function shellList(): Plugin {
  return {
    name: "shell-list",
    apply: "build",
    generateBundle(_, bundle) {
      const worker = bundle["sw.js"];
      if (worker?.type !== "chunk") this.error("the build has no sw.js");
      const files = Object.keys(bundle)
        .filter((file) => file.startsWith("assets/"))
        .sort();
      const page = bundle["index.html"];
      const version = createHash("sha256")
        .update(files.join("\n"))
        .update(page?.type === "asset" ? page.source : "")
        .digest("hex")
        .slice(0, 12);
      worker.code = worker.code.replaceAll(
        "__SHELL__",
        JSON.stringify({
          version,
          files: files.filter((file) => !LATER.test(file)),
          later: files.filter((file) => LATER.test(file)),
        }),
      );
    },
  };
}

/** The development server puts styles and its own scripts into the page, which the page's policy forbids. */
function withoutPolicyInDevelopment(): Plugin {
  return {
    name: "without-policy-in-development",
    apply: "serve",
    transformIndexHtml: (html) => html.replace(/<meta\s+http-equiv="Content-Security-Policy"[^>]*>/, ""),
  };
}

export default defineConfig({
  base: "./", // the page may lie under any path
  publicDir: RESULTS,
  plugins: [contractChecks(), shellList(), withoutPolicyInDevelopment()],
  worker: { format: "es", plugins: () => [contractChecks()] },
  build: {
    copyPublicDir: false,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900, // three.js
    rollupOptions: {
      input: {
        index: resolve(import.meta.dirname, "index.html"),
        sw: resolve(import.meta.dirname, "src/sw.ts"),
      },
      output: { entryFileNames: ({ name }) => (name === "sw" ? "sw.js" : "assets/[name]-[hash].js") },
    },
  },
});
