/** Choosing a model and a layer, or a file of the visitor's own, and loading it. */
import { LayerLoader, type Loaded, type OnProgress } from "../data/loader";
import type { Published } from "../data/published";
import { byId, option, setOptions } from "../ui/dom";
import { hideMessage, showMessage, showProgress } from "../ui/notices";
import { showSummary } from "../ui/summary";
import type { State, Store } from "./state";

/** The layer selector's entry while a file of the visitor's own is shown. */
const OWN_FILE = "own file";

export class Layers {
  private readonly loader = new LayerLoader();
  private readonly modelSelect = byId<HTMLSelectElement>("model");
  private readonly layerSelect = byId<HTMLSelectElement>("layer");

  constructor(
    private readonly store: Store,
    private readonly published: Published,
  ) {}

  listModels(): void {
    const models = this.published.models.map(({ modelId, displayName }) => ({
      value: modelId,
      name: displayName,
    }));
    setOptions(this.modelSelect, models, "");
  }

  /** Returns false if the model's manifest could not be read; the page then says why. */
  async chooseModel(modelId: string): Promise<boolean> {
    this.modelSelect.value = modelId;
    if (this.published.manifest?.modelId === modelId) return true;
    try {
      await this.published.chooseModel(modelId);
    } catch (error) {
      this.modelSelect.value = this.published.manifest?.modelId ?? "";
      this.fail(error);
      return false;
    }
    const layers = this.published.manifest!.layers.map(({ layer }) => String(layer));
    setOptions(
      this.layerSelect,
      layers.map((value) => ({ value, name: value })),
      "",
    );
    return true;
  }

  /** Shows a layer of the chosen model. Returns false if it could not be loaded; what was shown then stays. */
  async showPublished(number: number): Promise<boolean> {
    const entry = this.published.layer(number)!;
    const { modelId } = this.published.manifest!;
    const manifestUrl = this.published.manifestUrl!.href;
    this.layerSelect.value = String(number);
    this.updateSteps();
    const shown = await this.show({ modelId, layer: number }, (onProgress) =>
      this.loader.load({ kind: "published", entry, manifestUrl }, onProgress),
    );
    if (shown && this.published.offline)
      showMessage("No network: showing the copy stored in this browser.", "note");
    return shown;
  }

  async showFile(file: File): Promise<void> {
    if (!(await this.show(null, (onProgress) => this.loader.load({ kind: "file", file }, onProgress))))
      return;
    this.layerSelect.add(option(OWN_FILE, file.name), 0);
    this.layerSelect.value = OWN_FILE;
    this.updateSteps();
  }

  /** The number of the layer `by` steps after the chosen one, or null at the ends. */
  neighbor(by: number): number | null {
    return this.published.neighbor(Number(this.layerSelect.value), by)?.layer ?? null;
  }

  /** The published layer that the selector names; null for a file of the visitor's own. */
  get chosen(): number | null {
    return this.layerSelect.value === OWN_FILE ? null : Number(this.layerSelect.value);
  }

  fail(error: unknown): void {
    const { message } = error as Error;
    showMessage(/[.!?…]$/.test(message) ? message : `${message}.`);
    const { layer, published } = this.store.current;
    if (layer) this.layerSelect.value = published ? String(published.layer) : OWN_FILE;
    this.updateSteps();
  }

  private async show(
    published: State["published"],
    load: (onProgress: OnProgress) => Promise<Loaded | null>,
  ): Promise<boolean> {
    performance.mark("layer-requested");
    showProgress(0);
    let loaded: Loaded | null;
    try {
      loaded = await load((done, total) => showProgress(total === null ? "unknown" : done / total));
    } catch (error) {
      showProgress(null);
      this.fail(error);
      return false;
    }
    // A newer request has taken over, with progress and messages of its own.
    if (loaded === null) return false;
    showProgress(null);
    hideMessage();
    this.layerSelect.querySelector(`[value="${OWN_FILE}"]`)?.remove();
    this.store.update({ layer: loaded.layer, published, selected: null, hits: null });
    showSummary(loaded);
    requestAnimationFrame(() => performance.measure("layer-shown", "layer-requested"));
    return true;
  }

  private updateSteps(): void {
    byId<HTMLButtonElement>("previous-layer").disabled = this.neighbor(-1) === null;
    byId<HTMLButtonElement>("next-layer").disabled = this.neighbor(1) === null;
  }
}
