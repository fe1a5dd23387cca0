/**
 * Features as text, for other programs and from them.
 *
 * Written: indices, JSON, CSV. Read: these, ids such as gemma-2-2b:12:45, addresses of Neuronpedia, and attribution
 * graphs of Neuronpedia and circuit-tracer.
 */
import { byLayer } from "./featureSet";
import { display } from "./text";
import type { FeatureId } from "./tracks";

/** What a feature is called elsewhere. */
export interface NamedFeature extends FeatureId {
  label: string | null;
  neuronpedia: { modelId: string; sourceId: string } | null;
}

/** Which features a text can name. */
export interface Scope {
  /** The names of the model: here, and on Neuronpedia. */
  models: ReadonlySet<string>;
  /** The layer of bare indices. */
  layer: number;
  /** The layers of the model with the ids of their SAEs on Neuronpedia, where they have one. */
  sources: ReadonlyMap<number, string | null>;
}

export interface Reading {
  features: FeatureId[];
  /** Of the set, if the text gives one. */
  name: string | null;
  /** What is no feature. */
  unreadable: string[];
  /** Features that are not here: how many, by reason. */
  elsewhere: Map<string, number>;
  /** An attribution graph that does not say of which SAEs its features are. */
  ofUnknownSae: boolean;
}

/** Of one layer a list, of several an object of lists by layer: both are JSON and Python. */
export function indicesText(features: readonly FeatureId[]): string {
  const lists = Array.from(byLayer(features), ([layer, indices]) => [layer, `[${indices.join(", ")}]`]);
  if (lists.length <= 1) return String(lists[0]?.[1] ?? "[]");
  return `{${lists.map(([layer, list]) => `"${layer}": ${list}`).join(", ")}}`;
}

export function jsonText(modelId: string, name: string, features: readonly NamedFeature[]): string {
  const entries = features.map(({ layer, index, label, neuronpedia }) => ({
    modelId,
    layer,
    index,
    ...(label !== null && { label }),
    ...(neuronpedia && { neuronpedia: { ...neuronpedia, index } }),
  }));
  return `${JSON.stringify({ ...(name && { name }), features: entries }, null, 1)}\n`;
}

export function csvText(modelId: string, features: readonly NamedFeature[]): string {
  const header = ["modelId", "layer", "index", "label", "neuronpediaModelId", "neuronpediaSourceId"];
  const rows = features.map(({ layer, index, label, neuronpedia }) => [
    modelId,
    String(layer),
    String(index),
    display(label ?? ""),
    neuronpedia?.modelId ?? "",
    neuronpedia?.sourceId ?? "",
  ]);
  const quoted = (value: string) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  return [header, ...rows].map((row) => `${row.map(quoted).join(",")}\n`).join("");
}

export function readFeatures(text: string, scope: Scope): Reading {
  const reader = new Reader(scope);
  const trimmed = text.trim();
  const rows = tableOf(trimmed);
  const value = /^[[{]/.test(trimmed) ? parsed(trimmed) : undefined;
  if (value !== undefined) reader.readValue(value);
  else if (rows !== null) for (const row of rows) reader.readEntry(row);
  else for (const word of trimmed.split(/[\s,;]+/)) reader.readWord(word);
  return reader.reading;
}

class Reader {
  readonly reading: Reading = {
    features: [],
    name: null,
    unreadable: [],
    elsewhere: new Map(),
    ofUnknownSae: false,
  };

  constructor(private readonly scope: Scope) {}

  readValue(value: unknown, layer = this.scope.layer): void {
    if (Array.isArray(value)) for (const item of value) this.readValue(item, layer);
    else if (typeof value === "number") this.add(null, layer, value);
    else if (typeof value === "string") this.readWord(value);
    else if (!isRecord(value)) this.unreadable(value);
    else if (Array.isArray(value.nodes)) this.readGraph(value.metadata, value.nodes);
    else if (Array.isArray(value.features)) {
      if (typeof value.name === "string") this.reading.name = display(value.name, 80);
      this.readValue(value.features);
    } else if ("index" in value) this.readEntry(value);
    else {
      for (const [key, list] of Object.entries(value)) {
        if (/^\d{1,3}$/.test(key) && Array.isArray(list)) this.readValue(list, Number(key));
        else this.unreadable({ [key]: list });
      }
    }
  }

  /** One feature of a table or a list. Neuronpedia calls the SAE "layer". */
  readEntry({ modelId, model, layer, index }: Record<string, unknown>): void {
    const number = wholeNumber(index);
    const of = layer === undefined || layer === "" ? this.scope.layer : (wholeNumber(layer) ?? layer);
    const name = modelId ?? model;
    if (number === null || (typeof of !== "number" && typeof of !== "string"))
      this.unreadable({ layer, index });
    else this.add(typeof name === "string" && name !== "" ? name : null, of, number);
  }

  readWord(text: string): void {
    const word = text.replace(/^[[({"'#]+|[\])}"']+$/g, "");
    if (word === "") return;
    const { layer } = this.scope;
    const address = /^(?:https?:\/\/)?(?:www\.)?neuronpedia\.org\/([^/]+)\/([^/]+)\/(\d+)/.exec(word);
    const id = /^(?:(.+):)?(\d{1,3}):(\d{1,7})$/.exec(word);
    const range = /^(\d{1,7})-(\d{1,7})$/.exec(word);
    if (address) this.add(address[1]!, address[2]!, Number(address[3]));
    else if (id) this.add(id[1] ?? null, Number(id[2]), Number(id[3]));
    else if (/^\d{1,7}$/.test(word)) this.add(null, layer, Number(word));
    else if (range && Number(range[2]) - Number(range[1]) < 200_000) {
      for (let index = Number(range[1]); index <= Number(range[2]); index++) this.add(null, layer, index);
    } else this.unreadable(text);
  }

  /** The features of an attribution graph; its embeddings, errors and logits are none. */
  private readGraph(metadata: unknown, nodes: unknown[]): void {
    const about = isRecord(metadata) ? metadata : {};
    const model = typeof about.scan === "string" ? about.scan : null;
    const details = isRecord(about.feature_details) ? about.feature_details : {};
    const set = details.neuronpedia_source_set;
    this.reading.ofUnknownSae = typeof set !== "string";
    if (typeof about.slug === "string") this.reading.name = display(about.slug, 80);
    for (const node of nodes) {
      if (!isRecord(node)) this.unreadable(node);
      else if (!/embedding|error|logit/.test(String(node.feature_type))) {
        const layer = wholeNumber(node.layer);
        // Files of circuit-tracer have the feature's index only in the node's id: layer_index_position.
        const [, of, inId] = /^(\d+)_(\d+)_\d+$/.exec(String(node.node_id)) ?? [];
        const index = Number(of) === layer ? Number(inId) : wholeNumber(node.feature);
        if (layer === null || index === null) this.unreadable(node.node_id ?? node);
        else this.add(model, typeof set === "string" ? `${layer}-${set}` : layer, index);
      }
    }
  }

  /** `layer`: its number, or the id of its SAE on Neuronpedia. */
  private add(model: string | null, layer: number | string, index: number): void {
    const { models, sources } = this.scope;
    const { elsewhere, features } = this.reading;
    const number =
      typeof layer === "number" ? layer : [...sources].find(([, source]) => source === layer)?.[0];
    let reason: string | null = null;
    if (model !== null && !models.has(model)) reason = `of another model, ${display(model, 40)}`;
    else if (number === undefined) reason = `of another SAE, ${display(String(layer), 40)}`;
    else if (!sources.has(number)) reason = `of layer ${number}, which is not here`;
    if (reason !== null) elsewhere.set(reason, (elsewhere.get(reason) ?? 0) + 1);
    else if (wholeNumber(index) === null) this.unreadable(index);
    else features.push({ layer: number!, index });
  }

  private unreadable(value: unknown): void {
    this.reading.unreadable.push(typeof value === "string" ? value : JSON.stringify(value));
  }
}

/** The rows of a text whose first line names a column "index", by the names of the columns; else null. */
function tableOf(text: string): Record<string, string>[] | null {
  const [header = "", ...lines] = text.split(/\r?\n/);
  const separator = header.includes("\t") ? "\t" : ",";
  const names = fieldsOf(header, separator);
  if (!names.includes("index")) return null;
  return lines
    .filter((line) => line.trim() !== "")
    .map((line) =>
      Object.fromEntries(fieldsOf(line, separator).map((field, at) => [names[at] ?? "", field])),
    );
}

function fieldsOf(line: string, separator: string): string[] {
  const field = new RegExp(`(?:^|${separator})(?:"((?:[^"]|"")*)"|([^${separator}]*))`, "g");
  return Array.from(line.matchAll(field), ([, quoted, plain]) =>
    quoted === undefined ? plain!.trim() : quoted.replaceAll('""', '"'),
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function wholeNumber(value: unknown): number | null {
  return /^\d{1,7}$/.test(String(value)) ? Number(value) : null;
}
