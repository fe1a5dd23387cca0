import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import standaloneCode from "ajv/dist/standalone/index.js";
import type { Plugin } from "vite";

const DOCS = resolve(import.meta.dirname, "../docs");
const SCHEMAS = new Map([
  ["virtual:check-index", "manifest.schema.json#/$defs/index"],
  ["virtual:check-manifest", "manifest.schema.json"],
  ["virtual:check-layer", "graph.schema.json"],
]);

/**
 * Modules that export one function each: the check of one kind of published file, generated from its JSON schema
 * in docs/. The page cannot compile schemas itself, as its policy forbids code made at run time.
 */
export function contractChecks(): Plugin {
  return {
    name: "contract-checks",
    resolveId: (id) => (SCHEMAS.has(id) ? `\0${id}` : undefined),
    load(id) {
      const schema = SCHEMAS.get(id.slice(1));
      if (schema === undefined) return;
      const ajv = new Ajv2020({
        code: { source: true, esm: true },
        strict: true,
        allowUnionTypes: true,
        // Counts a character beyond 16 bits as two: no difference to `minLength: 1`, and no import at run time.
        unicode: false,
        // `unicode` is deprecated, and would say so in every build.
        logger: false,
      });
      const file = schema.split("#")[0]!;
      this.addWatchFile(resolve(DOCS, file));
      ajv.addSchema(JSON.parse(readFileSync(resolve(DOCS, file), "utf8")), file);
      return { code: standaloneCode(ajv, ajv.getSchema(schema)), moduleSideEffects: false };
    },
  };
}
