/** Which models and layers there are: index.json and the manifests, wherever the page itself lies. */
import { type LayerEntry, type Manifest, type ModelEntry, parseIndex, parseManifest } from "./contract";
import { fetchJson } from "./fetch";

export class Published {
  models: ModelEntry[] = [];
  /** The chosen model's. */
  manifest: Manifest | null = null;
  manifestUrl: URL | null = null;
  /** True if the last list came from an earlier visit. */
  offline = false;

  async loadIndex(): Promise<void> {
    const { value, offline } = await fetchJson(new URL("index.json", document.baseURI));
    this.models = parseIndex(value, "index.json");
    this.offline = offline;
  }

  /** Makes the model the chosen one. Rejects if its manifest cannot be had; the former one then stays. */
  async chooseModel(modelId: string): Promise<void> {
    const entry = this.models.find((model) => model.modelId === modelId);
    if (!entry) throw new Error(`No model ${modelId} is published here`);
    const url = new URL(entry.manifest, document.baseURI);
    const { value, offline } = await fetchJson(url);
    this.manifest = parseManifest(value, entry.manifest);
    this.manifestUrl = url;
    this.offline = offline;
  }

  layer(number: number): LayerEntry | null {
    return this.manifest?.layers.find((entry) => entry.layer === number) ?? null;
  }

  /** The layer `by` places after `number` among those that exist, or null at the ends. */
  neighbor(number: number, by: number): LayerEntry | null {
    const layers = this.manifest?.layers ?? [];
    return layers[layers.findIndex((entry) => entry.layer === number) + by] ?? null;
  }
}
