/** The published models and layers: index.json and the manifests, relative to the page. */
import { type LayerEntry, type Manifest, type ModelEntry, parseIndex, parseManifest } from "./contract";
import { addressOf, fetchJson } from "./fetch";

/** A published model: its manifest, and where that came from. */
export interface Model extends Manifest {
  url: URL;
  /** True if the manifest is a copy from an earlier visit. */
  offline: boolean;
}

export async function loadIndex(): Promise<ModelEntry[]> {
  const { value } = await fetchJson(new URL("index.json", document.baseURI));
  return parseIndex(value, "index.json");
}

export async function loadModel(entry: ModelEntry): Promise<Model> {
  const url = addressOf(entry.manifest, new URL(document.baseURI), "index.json");
  const { value, offline } = await fetchJson(url);
  return { ...parseManifest(value, entry.manifest), url, offline };
}

export function layerEntry(model: Model, layer: number): LayerEntry | null {
  return model.layers.find((entry) => entry.layer === layer) ?? null;
}
