/** Two layers side by side: the second map, which follows the state as the first does, and the ways to choose it. */
import { coloringOf, colorLayer } from "../colors";
import { shownNodes } from "../data/filter";
import { type Layer, nodeOfFeature, onMap } from "../data/layer";
import { LayerWorker } from "../data/layerWorker";
import { layerEntry } from "../data/published";
import { titleOf } from "../data/regions";
import { display } from "../data/text";
import { type FeatureId, nodeOfTrack } from "../data/tracks";
import type { Joins } from "../scene/joins";
import type { MapScene } from "../scene/mapScene";
import { byId, setOptions } from "../ui/dom";
import { announce, showMessage, showProgress } from "../ui/notices";
import { followLayer, followMarks, followPanels, followSceneTheme } from "./mapView";
import { loadOf, readModel } from "./navigation";
import { followPreview } from "./preview";
import type { Selection } from "./selection";
import { type Compared, EMPTY_HALF, type Half, INITIAL, type State, Store } from "./state";

/** CSS pixels. Narrower, the maps lie above one another, which takes some height. */
const LEAST_WIDTH = 1100;
const LEAST_HEIGHT = 500;

export class Compare {
  /** The state as the map beside the first has it: its own layer, selection and hits, and the same settings. */
  readonly half: Store;
  scene: MapScene | null = null;
  /** The lines between both maps, once there are any. */
  joins: Joins | null = null;
  private worker: LayerWorker | null = null;

  constructor(
    private readonly store: Store,
    private readonly first: MapScene | null,
    private readonly createScene: () => MapScene | null,
    private readonly selection: Selection,
  ) {
    this.half = new Store(stateBeside(store.current));
    store.follow(["compared"], ({ compared }) => {
      if (compared === null) this.close();
      else void this.load(compared);
    });
    store.follow(["map"], ({ map, beside }) => {
      if (beside.layer) this.update({ layer: onMap(beside.layer, map) });
    });
    store.follow(["layer", "selected", "followed", "region"], () => this.followSelection());
    store.follow(Object.keys(INITIAL) as (keyof State)[], (state) => this.half.update(stateBeside(state)));
    this.half.follow(["layer"], () => this.followSelection());
    this.half.follow(["layer", "filters", "silentShown", "selected"], (state) => {
      const { layer, filters, silentShown, selected } = state;
      if (layer) this.update({ shown: shownNodes(layer, filters, silentShown, selected) });
    });
    this.half.follow(["layer", "query"], (state) => void this.search(state));
    const onRegion = selection.onRegion;
    selection.onRegion = (region) => {
      if (store.current.inBeside) this.chooseRegion(region);
      else onRegion(region);
    };
    store.follow(["compared", "models", "manifests", "wanted"], (state) => showChoice(state));
  }

  /** Shows the next layer beside the one shown, or no longer. */
  toggle(): void {
    const { compared } = this.store.current;
    if (compared === null) this.store.update({ compared: layerToCompare(this.store.current) });
    else this.end();
  }

  end(): void {
    this.store.update({ compared: null });
    announce("Comparison ended");
  }

  showLayer(layer: number): void {
    const { compared } = this.store.current;
    if (compared) this.store.update({ compared: { ...compared, layer } });
  }

  /** Shows a model's layer of the same number, or its middle one. */
  async showModel(modelId: string): Promise<void> {
    const { compared } = this.store.current;
    try {
      const model = await readModel(this.store, modelId);
      const same = compared && layerEntry(model, compared.layer);
      const { layer } = same ?? model.layers[Math.floor(model.layers.length / 2)]!;
      this.store.update({ compared: { modelId, layer } });
    } catch (error) {
      showMessage((error as Error).message);
    }
  }

  step(by: number): void {
    const { compared, manifests } = this.store.current;
    const layers = (compared && manifests[compared.modelId]?.layers) ?? [];
    const next = layers[layers.findIndex(({ layer }) => layer === compared?.layer) + by];
    if (compared && next) this.showLayer(next.layer);
  }

  /** Of the layer to which a row of a list leads. */
  layerOf(row: Element): Layer | null {
    const { current } = this.store;
    const map = row.closest<HTMLElement>("[data-map]")?.dataset.map;
    const beside = map ? map === "beside" : current.inBeside && row.closest("#feature") !== null;
    return beside ? current.beside.layer : current.layer;
  }

  /** Selects a feature of the layer beside the first. Returns false if it is of another layer. */
  showFeature({ layer: number, index }: FeatureId): boolean {
    const { layer: first, beside } = this.store.current;
    if (!beside.layer || beside.layer.modelId !== first?.modelId) return false;
    if (beside.layer.layer !== number || first.layer === number) return false;
    this.selection.selectBeside(nodeOfFeature(beside.layer, index), { fly: true });
    return true;
  }

  /** Chooses a region of the map beside the first, and flies there. */
  chooseRegion(region: number): void {
    const { layer } = this.store.current.beside;
    if (!layer) return;
    this.selection.select(null);
    this.update({ region });
    this.scene?.flyToRegion(region);
    announce(`Layer ${layer.layer}, region: ${display(titleOf(layer, region), 200)}`);
  }

  update(change: Partial<Half>): void {
    this.store.update({ beside: { ...this.store.current.beside, ...change } });
  }

  private async load(compared: Compared): Promise<void> {
    const { store } = this;
    const wanted = () => store.current.compared === compared;
    if (innerWidth < LEAST_WIDTH && innerHeight < LEAST_HEIGHT) {
      showMessage("There is no room for two maps: turn the screen, or enlarge the window.");
      return store.update({ compared: null });
    }
    const { layer: before } = store.current.beside;
    // An address brings its own camera.
    const placed = store.current.opening && store.current.camera !== null;
    if (before?.modelId === compared.modelId && before.layer === compared.layer) return this.selectWanted();
    this.worker ??= new LayerWorker();
    this.selection.workerBeside = this.worker;
    try {
      const model = await readModel(store, compared.modelId);
      if (!wanted()) return;
      if (layerEntry(model, compared.layer) === null) {
        throw new Error(`${compared.modelId} has no layer ${compared.layer} here.`);
      }
      const loaded = await this.worker.load(loadOf(model, compared.layer), (done, total) =>
        showProgress(total === null ? "unknown" : done / total),
      );
      if (store.current.compared === null) showProgress(null);
      if (loaded === null || !wanted()) return;
      showProgress(null);
      this.open();
      this.update({
        layer: onMap(loaded.layer, store.current.map),
        hits: null,
        region: null,
        pointedAt: null,
      });
      this.selectWanted();
      // Once both halves and the panel beside them have their sizes.
      requestAnimationFrame(() => requestAnimationFrame(() => this.keepInSight(placed)));
    } catch (error) {
      showProgress(null);
      if (!wanted()) return;
      showMessage((error as Error).message);
      const { layer } = store.current.beside;
      store.update({ compared: layer && { modelId: layer.modelId, layer: layer.layer } });
    }
  }

  /** Shows both maps as a whole if the first was, and the selected feature on both. */
  private keepInSight(placed: boolean): void {
    const { layer, selected } = this.store.current.beside;
    if (placed || layer === null) return;
    if (selected === null) this.first?.camera.stayHome();
    else if (this.scene && !this.scene.isInSight(selected)) this.selection.fly();
  }

  private selectWanted(): void {
    const { compared, beside } = this.store.current;
    if (compared?.feature === undefined || !beside.layer) return;
    const { feature, ...layer } = compared;
    const node = nodeOfFeature(beside.layer, feature);
    if (node === null) showMessage(`Feature ${feature} is not on the map of layer ${layer.layer}.`);
    else this.selection.selectBeside(node);
    this.store.update({ compared: layer });
  }

  private open(): void {
    document.body.classList.add("comparing");
    byId("right").hidden = false;
    if (!this.scene && this.first) this.scene = this.addScene();
    if (this.first) this.first.setBeside(this.scene);
  }

  private close(): void {
    this.first?.setBeside(null);
    document.body.classList.remove("comparing");
    byId("right").hidden = true;
    const { beside, inBeside } = this.store.current;
    if (beside === EMPTY_HALF) return;
    const gone = inBeside ? { selected: null, followed: null, inBeside: false } : {};
    this.store.update({ ...gone, beside: EMPTY_HALF });
  }

  private addScene(): MapScene | null {
    const { half, store } = this;
    const scene = this.createScene();
    this.selection.sceneBeside = scene;
    if (!scene) return null;
    const canvas = byId("other-map");
    followSceneTheme(half, scene);
    followLayer(half, scene);
    // A map that is shown for the first time would be shown as a whole.
    half.follow(["layer"], () => scene.camera.setView(this.first!.camera.view()));
    half.follow(["layer", "shown"], ({ shown }) => scene.setShown(shown));
    half.follow(["layer", "coloring", "theme", "selected"], ({ layer, coloring, theme, selected }) => {
      if (!layer) return;
      const effective = coloringOf(layer, coloring);
      scene.setColors(colorLayer(layer, effective, theme, selected, store.current.layer).colors);
    });
    half.follow(["layer", "linksVisible", "minCosine"], ({ linksVisible, minCosine }) =>
      scene.setLinks(linksVisible, minCosine),
    );
    half.follow(["labelsVisible"], ({ labelsVisible }) => scene.setLabelsVisible(labelsVisible));
    followMarks(half, scene);
    followPreview(half, scene, canvas, byId("other-tooltip"));
    followPanels(store, scene, canvas);
    return scene;
  }

  /** Selects what is on the track of the selected feature, unless that was selected here. */
  private followSelection(): void {
    const { inBeside, followed, beside, layer: first, region } = this.store.current;
    const { layer } = beside;
    if (!layer) return;
    const joined = followed !== null && layer.passage !== null && layer.modelId === first?.modelId;
    const onTrack = joined ? nodeOfTrack(layer, followed.track) : null;
    if (inBeside && (onTrack !== null || !joined)) return;
    const chosen = followed !== null || region !== null ? null : beside.region;
    if (beside.selected !== onTrack || beside.region !== chosen)
      this.update({ selected: onTrack, region: chosen });
  }

  private async search({ layer, query }: State): Promise<void> {
    if (!layer) return;
    if (query.trim() === "") return this.update({ hits: null });
    const hits = await this.worker!.search(query).catch(() => null);
    const { current } = this.half;
    if (hits !== null && current.layer === layer && current.query === query)
      this.update({ hits: { ...hits, query } });
  }
}

function stateBeside(state: State): State {
  return { ...state, ...state.beside };
}

/** The layer after the one shown, or the one before the last; of a model with one layer, another model. */
function layerToCompare({ layer, wanted, manifests, models }: State): Compared | null {
  const model = wanted && manifests[wanted.modelId];
  if (model) {
    const layers = model.layers.map((entry) => entry.layer);
    const at = layers.indexOf(layer?.layer ?? -1);
    return { modelId: model.modelId, layer: layers[at + 1] ?? layers[at - 1] ?? layers[at] ?? layers[0]! };
  }
  const [known] = models.flatMap(({ modelId }) => manifests[modelId] ?? []);
  return known ? { modelId: known.modelId, layer: known.layers[0]!.layer } : null;
}

function showChoice({ compared, models, manifests }: State): void {
  byId("compare-with").hidden = compared === null;
  byId("compare").setAttribute("aria-expanded", String(compared !== null));
  if (compared === null) return;
  const named = models.map(({ modelId, displayName }) => ({ value: modelId, name: displayName }));
  setOptions(byId<HTMLSelectElement>("other-model"), named, compared.modelId);
  const layers = manifests[compared.modelId]?.layers.map(({ layer }) => layer) ?? [compared.layer];
  const options = layers.map((layer) => ({ value: String(layer), name: String(layer) }));
  setOptions(byId<HTMLSelectElement>("other-layer"), options, String(compared.layer));
  const at = layers.indexOf(compared.layer);
  byId<HTMLButtonElement>("other-previous").disabled = at <= 0;
  byId<HTMLButtonElement>("other-next").disabled = at === layers.length - 1;
}
