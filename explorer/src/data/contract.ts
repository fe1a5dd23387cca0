/**
 * The files that the workflow publishes, and the checks that a file is one of them.
 *
 *     index.json                 the published models
 *     {model}/manifest.json      the layers of one model
 *     {model}/layer-{N}.json     one map: GraphJSONSchema
 *
 * Unknown keys are ignored everywhere. What a file must have and does not have is a ContractError, which
 * says where in the file it is missing; nothing here guesses or repairs.
 */

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
  filePath: string;
  /** Bytes. */
  fileSize: number;
  /** Lower-case hexadecimal, of the file's bytes. */
  sha256: string;
}

export interface LayerEntry extends PublishedFile {
  layer: number;
  sourceId: string | null;
  /** The same file compressed, where the run made one. */
  gzip: PublishedFile | null;
}

export interface Manifest {
  modelId: string;
  displayName: string;
  layers: LayerEntry[];
}

export interface FeatureNode {
  id: string;
  featureId: { modelId: string; layer: number; index: number };
  position: [number, number, number];
  label?: string;
  category?: string;
}

export interface FeatureEdge {
  id: string;
  source: string;
  target: string;
  /** Cosine similarity of the two decoder rows, 0..1. */
  weight: number;
  type: string;
}

/** What is known of each node, each list in the order of `nodes`; null where nothing is known of that one. */
export interface NodeFacts {
  explainer: (string | null)[] | null;
  density: (number | null)[] | null;
  maxActivation: (number | null)[] | null;
}

export interface LayerFile {
  modelId: string;
  displayName: string;
  layer: number;
  sourceId: string | null;
  deadCount: number;
  neuronpedia: { modelId: string; sourceId: string } | null;
  nodeFacts: NodeFacts;
  nodes: FeatureNode[];
  edges: FeatureEdge[];
}

type Json = Record<string, unknown>;

const EDGE_TYPES = new Set(["coactivation", "attention", "circuit"]);

/**
 * JSON text to a value.
 *
 * Throws ContractError if the text is not JSON, saying whether it looks like a web page instead, as
 * hosts answer for files they do not have.
 */
export function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (/^\s*</.test(text)) {
      throw new ContractError(`${name} is a web page, not JSON: the host answered with a page of its own`);
    }
    throw new ContractError(`${name} is not valid JSON, or is cut short (${(error as Error).message})`);
  }
}

export function parseIndex(value: unknown): ModelEntry[] {
  const index = object(value, "index.json");
  const models = list(index.models, "models").map((entry, at) => {
    const model = object(entry, `models[${at}]`);
    const modelId = text(model.modelId, `models[${at}].modelId`);
    return {
      modelId,
      displayName: optionalText(model.displayName, `models[${at}].displayName`) ?? modelId,
      manifest: text(model.manifest, `models[${at}].manifest`),
    };
  });
  if (models.length === 0) throw new ContractError("index.json lists no model");
  return models;
}

export function parseManifest(value: unknown): Manifest {
  const manifest = object(value, "manifest.json");
  const modelId = text(manifest.modelId, "modelId");
  const layers = list(manifest.layers, "layers").map((entry, at) => {
    const where = `layers[${at}]`;
    const layer = object(entry, where);
    const gzip = layer.gzip;
    return {
      ...publishedFile(layer, where),
      layer: wholeNumber(layer.layer, `${where}.layer`),
      sourceId: optionalText(layer.sourceId, `${where}.sourceId`),
      gzip: gzip == null ? null : publishedFile(object(gzip, `${where}.gzip`), `${where}.gzip`),
    };
  });
  if (layers.length === 0) throw new ContractError(`the manifest of ${modelId} lists no layer`);
  layers.sort((a, b) => a.layer - b.layer);
  return { modelId, displayName: optionalText(manifest.displayName, "displayName") ?? modelId, layers };
}

export function parseLayer(value: unknown): LayerFile {
  const file = object(value, "the file");
  const metadata = object(file.metadata, "metadata");
  const modelId = text(metadata.modelId, "metadata.modelId");
  const layers = list(metadata.layers, "metadata.layers");
  if (layers.length === 0) throw new ContractError("metadata.layers is empty");
  const nodes = list(file.nodes, "nodes");
  if (nodes.length === 0) throw new ContractError("nodes is empty: a map has at least one feature");
  nodes.forEach(checkNode);
  const edges = list(file.edges, "edges");
  edges.forEach(checkEdge);
  return {
    modelId,
    displayName: optionalText(metadata.displayName, "metadata.displayName") ?? modelId,
    layer: wholeNumber(layers[0], "metadata.layers[0]"),
    sourceId: optionalText(metadata.sourceId, "metadata.sourceId"),
    deadCount: metadata.deadCount == null ? 0 : wholeNumber(metadata.deadCount, "metadata.deadCount"),
    neuronpedia: neuronpediaSource(metadata.neuronpedia),
    nodeFacts: nodeFacts(metadata.nodeFacts, nodes.length),
    nodes: nodes as FeatureNode[],
    edges: edges as FeatureEdge[],
  };
}

function checkNode(value: unknown, at: number): void {
  const where = `nodes[${at}]`;
  const node = object(value, where);
  text(node.id, `${where}.id`);
  const featureId = object(node.featureId, `${where}.featureId`);
  wholeNumber(featureId.index, `${where}.featureId.index`);
  const position = node.position;
  if (!Array.isArray(position) || position.length !== 3 || !position.every(Number.isFinite)) {
    throw new ContractError(`${where}.position must be three finite numbers`);
  }
  for (const key of ["label", "category"]) {
    if (key in node && typeof node[key] !== "string") {
      throw new ContractError(`${where}.${key} must be a string or absent, not ${kind(node[key])}`);
    }
  }
}

function checkEdge(value: unknown, at: number): void {
  const where = `edges[${at}]`;
  const edge = object(value, where);
  text(edge.source, `${where}.source`);
  text(edge.target, `${where}.target`);
  const weight = edge.weight;
  if (typeof weight !== "number" || !(weight >= 0 && weight <= 1)) {
    throw new ContractError(`${where}.weight must be a number from 0 to 1`);
  }
  if (!EDGE_TYPES.has(edge.type as string)) {
    throw new ContractError(`${where}.type must be one of ${[...EDGE_TYPES].join(", ")}`);
  }
}

function nodeFacts(value: unknown, nodeCount: number): NodeFacts {
  const facts = value == null ? {} : object(value, "metadata.nodeFacts");
  const aligned = <T>(key: string, isOne: (entry: unknown) => boolean): (T | null)[] | null => {
    if (facts[key] == null) return null;
    const entries = list(facts[key], `metadata.nodeFacts.${key}`);
    if (entries.length !== nodeCount) {
      throw new ContractError(
        `metadata.nodeFacts.${key} has ${entries.length} entries for ${nodeCount} nodes`,
      );
    }
    const wrong = entries.findIndex((entry) => entry !== null && !isOne(entry));
    if (wrong >= 0) {
      throw new ContractError(`metadata.nodeFacts.${key}[${wrong}] must not be ${kind(entries[wrong])}`);
    }
    return entries as (T | null)[];
  };
  return {
    explainer: aligned<string>("explainer", (entry) => typeof entry === "string"),
    density: aligned<number>("density", Number.isFinite),
    maxActivation: aligned<number>("maxActivation", Number.isFinite),
  };
}

function neuronpediaSource(value: unknown): LayerFile["neuronpedia"] {
  if (value == null) return null;
  const source = object(value, "metadata.neuronpedia");
  return {
    modelId: text(source.modelId, "metadata.neuronpedia.modelId"),
    sourceId: text(source.sourceId, "metadata.neuronpedia.sourceId"),
  };
}

function publishedFile(value: Json, where: string): PublishedFile {
  const sha256 = text(value.sha256, `${where}.sha256`).toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new ContractError(`${where}.sha256 must be 64 hexadecimal digits`);
  return {
    filePath: text(value.filePath, `${where}.filePath`),
    fileSize: wholeNumber(value.fileSize, `${where}.fileSize`),
    sha256,
  };
}

function object(value: unknown, where: string): Json {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ContractError(`${where} must be an object, not ${kind(value)}`);
  }
  return value as Json;
}

function list(value: unknown, where: string): unknown[] {
  if (!Array.isArray(value)) throw new ContractError(`${where} must be a list, not ${kind(value)}`);
  return value;
}

function text(value: unknown, where: string): string {
  if (typeof value !== "string" || value === "") {
    throw new ContractError(`${where} must be a non-empty string, not ${kind(value)}`);
  }
  return value;
}

function optionalText(value: unknown, where: string): string | null {
  return value == null ? null : text(value, where);
}

function wholeNumber(value: unknown, where: string): number {
  if (!Number.isInteger(value) || (value as number) < 0) {
    throw new ContractError(`${where} must be a whole number >= 0, not ${kind(value)}`);
  }
  return value as number;
}

function kind(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (value === "") return "empty";
  return Array.isArray(value)
    ? "a list"
    : typeof value === "object"
      ? "an object"
      : `the ${typeof value} ${shorten(value)}`;
}

function shorten(value: unknown): string {
  const written = JSON.stringify(value) ?? String(value);
  return written.length > 40 ? `${written.slice(0, 40)}…` : written;
}
