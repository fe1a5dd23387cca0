/** Ways to another map: an address, a model, a layer, a file of the visitor's own. */
import { withFeatures } from "../data/featureSet";
import { NO_FILTERS } from "../data/filter";
import { type Layer, nodeOfFeature, onMap } from "../data/layer";
import type { Load } from "../data/layer.worker";
import type { Loaded } from "../data/layerWorker";
import { layerEntry, loadIndex, loadModel, type Model } from "../data/published";
import type { FeatureId } from "../data/tracks";
import { showsMap } from "../scene/camera";
import { announce, hideMessage, showMessage } from "../ui/notices";
import type { PageMap } from "./pageMap";
import {
  choosing,
  following,
  layerAfter,
  modelOf,
  type Origin,
  type Source,
  type State,
  type Store,
  selecting,
} from "./state";
import type { ViewState } from "./urlState";

export class Navigation {
  constructor(
    private readonly store: Store,
    private readonly map: PageMap,
  ) {}

  /** Reads the list of models, and opens a first view. */
  async start(view: ViewState): Promise<void> {
    try {
      this.store.update({ models: await loadIndex() });
    } catch (error) {
      return this.fail(error);
    }
    await this.open(view);
  }

  /**
   * Shows the view that an address names. If its model or layer is not here, a message says so, and another map is
   * shown without a selection: feature 7 of one map is not feature 7 of another.
   */
  async open(view: ViewState): Promise<void> {
    if (this.store.current.models.length === 0) return;
    this.store.update({ opening: true });
    await this.follow(view);
    this.store.update({ opening: false });
  }

  /** Shows a model's middle layer. */
  async showModel(model: string): Promise<void> {
    const { query, map, filters, silentShown, compared } = this.store.current;
    await this.follow({ model, query, map, filters, silentShown, compared });
  }

  /** Shows a layer of the chosen model. What is selected stays selected along its track. */
  async showLayer(layer: number): Promise<void> {
    const model = modelOf(this.store.current);
    if (!model || !(await this.loadPublished(model, layer, (map) => following(this.store.current, map))))
      return;
    const { selected } = this.store.current;
    if (selected !== null) this.map.scene?.keepInSight(selected);
  }

  /** Selects a feature of any layer of the chosen model, and flies there. */
  async showFeature({ layer, index }: FeatureId): Promise<void> {
    const { current } = this.store;
    const model = modelOf(current);
    if (!model) return;
    const select = (map: Layer) => selecting(map, nodeOfFeature(map, index));
    if (current.layer?.layer === layer) this.store.update(select(current.layer));
    else if (!(await this.loadPublished(model, layer, select))) return;
    const { selected } = this.store.current;
    if (selected !== null) this.map.scene?.flyTo(selected);
  }

  /** Changes between the layer's own map and that in the frame of all layers. */
  showOtherMap(): void {
    const { layer, map } = this.store.current;
    if (layer?.maps.frame == null) return;
    const other = map === "frame" ? "own" : "frame";
    this.setMap(other);
    announce(other === "frame" ? "All layers in one frame" : "This layer's own map");
  }

  /** Shows the layer `by` steps after the chosen one, if there is one. */
  async step(by: number): Promise<void> {
    const layer = layerAfter(this.store.current, by);
    if (layer !== null) await this.showLayer(layer);
  }

  async showFile(file: File): Promise<void> {
    await this.load({ kind: "file", file }, { kind: "file", name: file.name });
  }

  private async follow(view: ViewState): Promise<void> {
    const { store } = this;
    const { models, wanted, source } = store.current;
    const isPublished = models.some(({ modelId }) => modelId === view.model);
    const model = await this.chooseModel(isPublished ? view.model! : (wanted?.modelId ?? models[0]!.modelId));
    if (model === null) return;
    let missing: string | null = null;
    if (view.model != null && !isPublished) missing = `No model ${view.model} is published here.`;
    else if (view.layer != null && layerEntry(model, view.layer) === null) {
      missing = `${model.modelId} has no layer ${view.layer} here.`;
    }
    const understood = missing === null ? view : {};
    this.setMap(understood.map ?? "frame");
    const shown = source?.kind === "published" && source.modelId === model.modelId ? source.layer : null;
    const layer = understood.layer ?? shown ?? middleLayer(model);
    if (layer === shown) store.update({ wanted: { modelId: model.modelId, layer } });
    else if (!(await this.loadPublished(model, layer))) return;
    if (missing !== null) showMessage(missing);
    this.apply(understood, store.current.layer!);
  }

  /** Shows what a view says of the layer that is shown. */
  private apply(view: ViewState, layer: Layer): void {
    const { store } = this;
    const { scene } = this.map;
    const { feature, region, compared, featureBeside, pinned, set, coloring, minCosine, camera } = view;
    const isCamera = camera != null && showsMap(camera, layer);
    if (isCamera) scene?.camera.setView(camera);
    const node = feature == null ? null : nodeOfFeature(layer, feature);
    if (feature != null && node === null) showMessage(`Feature ${feature} is not on this map.`);
    const chosen = region == null ? -1 : layer.regions.findIndex(({ id }) => id === region);
    if (region != null && chosen < 0) showMessage(`Region ${region} is not on this map.`);
    const { modelId } = layer;
    store.update({
      query: view.query ?? "",
      filters: view.filters ?? NO_FILTERS,
      silentShown: view.silentShown ?? false,
      ...(node === null && chosen >= 0 ? choosing(chosen) : selecting(layer, node)),
      ...(pinned?.length && {
        pinned: {
          ...store.current.pinned,
          [modelId]: withFeatures({ name: set ?? "", members: [] }, pinned),
        },
      }),
      ...(coloring && { coloring }),
      ...(minCosine != null && { minCosine }),
      ...(isCamera && { camera }),
    });
    const there = featureBeside == null ? {} : { feature: featureBeside };
    store.update({ compared: compared ? { modelId, ...compared, ...there } : null });
    if (isCamera) return;
    if (node !== null) scene?.flyTo(node);
    else if (chosen >= 0) scene?.flyToRegion(chosen);
  }

  private setMap(map: keyof Layer["maps"]): void {
    const { current } = this.store;
    if (map !== current.map) this.store.update({ map, layer: current.layer && onMap(current.layer, map) });
  }

  /** The model's manifest; null if it could not be read. */
  private async chooseModel(modelId: string): Promise<Model | null> {
    if (!this.store.current.manifests[modelId]) this.store.update({ wanted: { modelId, layer: null } });
    try {
      return await readModel(this.store, modelId);
    } catch (error) {
      this.fail(error);
      return null;
    }
  }

  /** Returns false if the layer could not be loaded; what was shown then stays. */
  private async loadPublished(
    model: Model,
    layer: number,
    select?: (layer: Layer) => Partial<State>,
  ): Promise<boolean> {
    const { modelId, offline } = model;
    this.store.update({ wanted: { modelId, layer } });
    const shown = await this.load(loadOf(model, layer), { kind: "published", modelId, layer }, select);
    if (shown && offline) showMessage("No network: showing the copy stored in this browser.", "note");
    return shown;
  }

  private async load(
    request: Load,
    from: Origin,
    select: (layer: Layer) => Partial<State> = (layer) => selecting(layer, null),
  ): Promise<boolean> {
    performance.mark("layer-requested");
    let loaded: Loaded | null;
    try {
      loaded = await this.map.load(request);
    } catch (error) {
      this.fail(error);
      return false;
    }
    // A newer request has taken over, with progress and messages of its own.
    if (loaded === null) return false;
    hideMessage();
    const source = { ...from, fromCache: loaded.fromCache };
    const layer = onMap(loaded.layer, this.store.current.map);
    this.store.update({ layer, source, wanted: wantedFor(source), hits: null, ...select(layer) });
    requestAnimationFrame(() => performance.measure("layer-shown", "layer-requested"));
    return true;
  }

  /** Says why, and returns to what is shown, if anything is. */
  private fail(error: unknown): void {
    const { message } = error as Error;
    showMessage(/[.!?…]$/.test(message) ? message : `${message}.`);
    const { source, wanted } = this.store.current;
    this.store.update({ wanted: source === null ? wanted : wantedFor(source) });
  }
}

/** The manifest of a published model, read the first time. Throws with a message for the reader. */
export async function readModel(store: Store, modelId: string): Promise<Model> {
  const { models, manifests } = store.current;
  if (manifests[modelId]) return manifests[modelId];
  const entry = models.find((listed) => listed.modelId === modelId);
  if (!entry) throw new Error(`No model ${modelId} is published here.`);
  const model = await loadModel(entry);
  store.update({ manifests: { ...store.current.manifests, [modelId]: model } });
  return model;
}

/** The request for a layer that a model has. */
export function loadOf(model: Model, layer: number): Load {
  const { modelId, displayName, url } = model;
  const about = { modelId, displayName, neuronpedia: neuronpediaOf(model, layer) };
  return { kind: "published", entry: layerEntry(model, layer)!, about, manifestUrl: url.href };
}

/** What Neuronpedia calls a layer's SAE; null where it has none. */
export function neuronpediaOf(model: Model, layer: number): Layer["neuronpedia"] {
  const { neuronpediaModelId: modelId } = model;
  const sourceId = layerEntry(model, layer)?.sourceId;
  return modelId && sourceId ? { modelId, sourceId } : null;
}

export function middleLayer({ layers }: Model): number {
  return layers[Math.floor(layers.length / 2)]!.layer;
}

function wantedFor(source: Source): State["wanted"] {
  return source.kind === "published" ? source : null;
}
