/**
 * The files that the workflow publishes, and the checks that a file is one of them.
 *
 *     index.json                 the published models
 *     {model}/manifest.json      the layers of one model
 *     {model}/layer-{N}.json     one map: GraphJSONSchema
 *
 * The tables beside them, layer-{N}.parquet, atlas/layer-{N}.parquet and atlas/tracks.parquet, are read by table.ts and
 * tracks.ts.
 *
 * The contract is docs/*.schema.json: the checks are generated from it when the page is built (contractChecks.ts).
 * Here are its types, and what a schema cannot say.
 */

import checkIndex from "virtual:check-index";
import checkLayer from "virtual:check-layer";
import checkManifest from "virtual:check-manifest";
import type { DefinedError, ValidateFunction } from "ajv";
import type { ListedRegion } from "./regions";

/** The file breaks the contract. The message is for the reader and says where in the file. */
export class ContractError extends Error {
  override name = "ContractError";
}

export interface ModelEntry {
  modelId: string;
  displayName: string;
  /** Path of the model's manifest, relative to index.json. */
  manifest: string;
}

export interface PublishedFile {
  /** Relative to the manifest. */
  filePath: string;
  /** Bytes. */
  fileSize: number;
  /** Lower-case hexadecimal, of the file's bytes. */
  sha256: string;
}

/** Of the layer's file, which a site may leave out, or of its table, or of both. */
export interface LayerEntry extends Partial<PublishedFile> {
  layer: number;
  /** The same file compressed, if the run made one. */
  gzip?: PublishedFile;
  /** All that is known of the layer: what the page reads if it is there. */
  table?: PublishedFile;
  /** Which of the table's neighbours are links. */
  edges?: { k: number; threshold: number };
  /** The layer in the frame of all layers of the model, and where its features go on. */
  frame?: { table: PublishedFile };
  /** Name of the SAE, on Neuronpedia if the model is there. */
  sourceId?: string;
}

/** Of manifest.json, what the page uses. */
export interface Manifest {
  modelId: string;
  displayName: string;
  neuronpediaModelId: string | null;
  /** All features of the model by track. */
  atlas?: { tracks: PublishedFile };
  layers: LayerEntry[];
}

export interface FeatureNode {
  id: string;
  featureId: { index: number };
  position: [number, number, number];
  label?: string;
  category?: string;
}

export interface FeatureEdge {
  source: string;
  target: string;
  /** Cosine similarity of the two decoder rows, 0..1. */
  weight: number;
}

/** What is known of each node, each list in the order of `nodes`; null where it is unknown. */
export interface NodeFacts {
  explainer?: (string | null)[];
  density?: (number | null)[];
  maxActivation?: (number | null)[];
  kept?: (number | null)[];
  /** Id of the smallest region around it. */
  region?: (string | null)[];
}

/** Of layer-N.json, what the page uses. */
export interface LayerFile {
  metadata: {
    modelId: string;
    displayName?: string;
    layers: [number, ...number[]];
    deadCount: number;
    neuronpedia?: { modelId: string; sourceId: string };
    nodeFacts?: NodeFacts;
    regions?: ListedRegion[];
  };
  nodes: FeatureNode[];
  edges: FeatureEdge[];
}

/**
 * JSON text to a value.
 *
 * Throws ContractError if the text is not JSON. Its message tells an incomplete file from a web page, which
 * some hosts send instead of a file that does not exist.
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^\s*</.test(text)) {
      throw new ContractError(`${name} is a web page, not JSON: probably the host's page for a missing file`);
    }
    throw new ContractError(`${name} is not valid JSON, or is incomplete (${(error as Error).message})`);
  }
}

export function parseIndex(value: unknown, name: string): ModelEntry[] {
  return checked(checkIndex, value, name).models;
}

/** The manifest, its layers in order. */
export function parseManifest(value: unknown, name: string): Manifest {
  const manifest = checked(checkManifest, value, name);
  return { ...manifest, layers: manifest.layers.toSorted((a, b) => a.layer - b.layer) };
}

export function parseLayer(value: unknown, name: string): LayerFile {
  const file = checked(checkLayer, value, name);
  for (const [key, values] of Object.entries(file.metadata.nodeFacts ?? {})) {
    if (values.length !== file.nodes.length) {
      const counts = `${values.length} entries for ${file.nodes.length} nodes`;
      throw new ContractError(`${name}: metadata.nodeFacts.${key} has ${counts}`);
    }
  }
  return file;
}

function checked<T>(check: ValidateFunction<T>, value: unknown, name: string): T {
  if (check(value)) return value;
  throw new ContractError(`${name}: ${complaint(check.errors![0] as DefinedError, value)}`);
}

/** "nodes[3].label must be string (it is null)" */
function complaint({ instancePath, message, params }: DefinedError, file: unknown): string {
  const keys = instancePath.split("/").slice(1);
  const path = keys.map((key) => (/^\d+$/.test(key) ? `[${key}]` : `.${key}`)).join("");
  const names = keys.map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  const value = names.reduce((at, name) => (at as Record<string, unknown>)[name], file);
  const text = JSON.stringify(value);
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const unknown = "additionalProperty" in params ? `: ${params.additionalProperty}` : "";
  const known = "allowedValues" in params ? `: ${params.allowedValues.join(", ")}` : "";
  return `${path.replace(/^\./, "") || "the file"} ${message}${unknown}${known} (it is ${shown})`;
}
