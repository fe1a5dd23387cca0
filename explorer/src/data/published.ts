/** The published models and layers: index.json and the manifests, relative to the page. */
import { type LayerEntry, type Manifest, type ModelEntry, parseIndex, parseManifest } from "./contract";
import { addressOf, fetchJson } from "./fetch";

export class Published {
  models: ModelEntry[] = [];
  /** Of the chosen model. */
  manifest: Manifest | null = null;
  manifestUrl: URL | null = null;
  /** True if the last index or manifest is a copy from an earlier visit. */
  offline = false;

  async loadIndex(): Promise<void> {
    const { value, offline } = await fetchJson(new URL("index.json", document.baseURI));
    this.models = parseIndex(value, "index.json");
    this.offline = offline;
  }

  /** Switches to a model. Rejects if its manifest cannot be read; the previous model then stays. */
  async chooseModel(modelId: string): Promise<void> {
    const entry = this.models.find((model) => model.modelId === modelId);
    if (!entry) throw new Error(`No model ${modelId} is published here`);
    const url = addressOf(
      entry.manifest,
      new URL(document.baseURI),
      `index.json: the manifest of ${modelId}`,
    );
    const { value, offline } = await fetchJson(url);
    this.manifest = parseManifest(value, entry.manifest);
    this.manifestUrl = url;
    this.offline = offline;
  }

  layer(number: number): LayerEntry | null {
    return this.manifest?.layers.find((entry) => entry.layer === number) ?? null;
  }

  /** The layer `by` steps after `number` in the manifest, or null at the ends. */
  neighbor(number: number, by: number): LayerEntry | null {
    const layers = this.manifest?.layers ?? [];
    return layers[layers.findIndex((entry) => entry.layer === number) + by] ?? null;
  }
}
