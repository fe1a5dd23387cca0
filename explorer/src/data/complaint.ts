/** What is wrong with a file, in words: where in the file, what must be there, what is there instead. */
import type { DefinedError } from "ajv";

const TYPES: Record<string, string> = {
  object: "an object",
  array: "a list",
  string: "a string",
  number: "a finite number",
  integer: "a whole number",
  null: "null",
};

/** Keys that are left out where there is no value; `null` is the usual mistake. */
const OPTIONAL = /\.(label|category|displayName|sourceId|neuronpedia|gzip|table)$/;

/** "nodes[3].label must be a string or absent, not null" */
export function complaint(error: DefinedError, file: unknown): string {
  const path = pathOf(error.instancePath);
  const where = path || "the file";
  const value = valueAt(error.instancePath, file);
  switch (error.keyword) {
    case "required":
      return `${pathOf(`${error.instancePath}/${error.params.missingProperty}`)} is missing`;
    case "type": {
      const types = [error.params.type].flat().map((type) => TYPES[type] ?? type);
      return `${where} must be ${types.join(" or ")}${OPTIONAL.test(path) ? " or absent" : ""}, not ${kind(value)}`;
    }
    case "minLength":
      return `${where} is empty`;
    case "minItems":
    case "maxItems": {
      const { length } = value as unknown[];
      const bound = error.keyword === "minItems" ? "at least" : "at most";
      return length === 0
        ? `${where} is empty`
        : `${where} must have ${bound} ${error.params.limit} entries, not ${length}`;
    }
    case "minimum":
    case "maximum":
      return `${where} must be ${error.params.comparison} ${error.params.limit}, not ${kind(value)}`;
    case "enum":
      return `${where} must be one of ${error.params.allowedValues.join(", ")}, not ${kind(value)}`;
    case "pattern":
      return `${where} must match ${error.params.pattern}, not ${kind(value)}`;
    case "additionalProperties":
      return `${where} has a key that the format does not know: ${error.params.additionalProperty}`;
    default:
      return `${where} breaks the format's rule "${error.keyword}"`;
  }
}

/** A JSON pointer as a programmer writes it: "/nodes/3/label" is nodes[3].label. */
function pathOf(pointer: string): string {
  return pointer
    .replace(/\/(\d+)(?=\/|$)/g, "[$1]")
    .replaceAll("/", ".")
    .replace(/^\./, "");
}

function valueAt(pointer: string, file: unknown): unknown {
  const keys = pointer.split("/").slice(1);
  const unescaped = keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return unescaped.reduce((at, key) => (at as Record<string, unknown>)[key], file);
}

function kind(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
