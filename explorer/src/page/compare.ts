/** Two layers side by side: what the second map shows, and the ways to choose it. */
import { nodeOfFeature, onMap } from "../data/layer";
import { layerEntry } from "../data/published";
import { type FeatureId, nodeOfTrack } from "../data/tracks";
import type { Frames } from "../scene/frames";
import { byId } from "../ui/dom";
import { announce, showMessage } from "../ui/notices";
import { drawMap } from "./mapView";
import { loadOf, middleLayer, readModel } from "./navigation";
import type { PageMap } from "./pageMap";
import type { Selection } from "./selection";
import { type Compared, choosing, EMPTY_HALF, layerAfter, type State, type Store } from "./state";

/** CSS pixels. Narrower, the maps lie above one another, which takes some height. */
const LEAST_WIDTH = 1100;
const LEAST_HEIGHT = 500;

export class Compare {
  constructor(
    private readonly store: Store,
    private readonly first: PageMap,
    private readonly second: PageMap,
    private readonly frames: Frames,
    private readonly selection: Selection,
  ) {
    store.follow(["compared"], ({ compared }) => {
      byId("compare-with").hidden = compared === null;
      byId("compare").setAttribute("aria-expanded", String(compared !== null));
      if (compared === null) this.close();
      else void this.load(compared);
    });
    store.follow(["map"], ({ map, beside }) => {
      if (beside.layer) second.store.update({ layer: onMap(beside.layer, map) });
    });
    store.follow(
      ({ layer, selected, followed, region, beside }) => [layer, selected, followed, region, beside.layer],
      () => this.followSelection(),
    );
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
      this.store.update({ compared: { modelId, layer: same?.layer ?? middleLayer(model) } });
    } catch (error) {
      showMessage((error as Error).message);
    }
  }

  step(by: number): void {
    const layer = layerAfter(this.second.store.current, by);
    if (layer !== null) this.showLayer(layer);
  }

  /** Selects a feature of the layer beside the first. Returns false if it is of another layer. */
  showFeature({ layer: number, index }: FeatureId): boolean {
    const { layer: first, beside } = this.store.current;
    if (!beside.layer || beside.layer.modelId !== first?.modelId) return false;
    if (beside.layer.layer !== number || first.layer === number) return false;
    this.selection.select(nodeOfFeature(beside.layer, index), { on: this.second, fly: true });
    return true;
  }

  private async load(compared: Compared): Promise<void> {
    const { store, first, second } = this;
    const wanted = () => store.current.compared === compared;
    if (innerWidth < LEAST_WIDTH && innerHeight < LEAST_HEIGHT) {
      showMessage("There is no room for two maps: turn the screen, or enlarge the window.");
      return store.update({ compared: null });
    }
    const { layer: before } = second.store.current;
    // An address brings its own camera.
    const placed = store.current.opening && store.current.camera !== null;
    if (before?.modelId === compared.modelId && before.layer === compared.layer) return this.selectWanted();
    try {
      const model = await readModel(store, compared.modelId);
      if (!wanted()) return;
      if (layerEntry(model, compared.layer) === null) {
        throw new Error(`${compared.modelId} has no layer ${compared.layer} here.`);
      }
      const loaded = await second.load(loadOf(model, compared.layer), wanted);
      if (loaded === null) return;
      this.open();
      const { inBeside, followed, map } = store.current;
      const goesOn = followed !== null && before?.modelId === compared.modelId;
      store.update({
        ...(inBeside && !goesOn && choosing(null)),
        beside: { ...EMPTY_HALF, layer: onMap(loaded.layer, map) },
      });
      // After its first layer, which it would show as a whole.
      if (first.scene) this.frames.draw(first.scene, second.scene);
      this.selectWanted();
      // Once both halves and the panel beside them have their sizes.
      requestAnimationFrame(() => requestAnimationFrame(() => this.keepInSight(placed)));
    } catch (error) {
      if (!wanted()) return;
      showMessage((error as Error).message);
      const { layer } = second.store.current;
      store.update({ compared: layer && { modelId: layer.modelId, layer: layer.layer } });
    }
  }

  /** Shows both maps as a whole if the first was, and the selected feature on both. */
  private keepInSight(placed: boolean): void {
    const { layer, selected } = this.second.store.current;
    if (placed || layer === null) return;
    if (selected === null) this.first.scene?.camera.stayHome();
    else if (this.second.scene?.isInSight(selected) === false) this.selection.fly();
  }

  private selectWanted(): void {
    const { compared, beside } = this.store.current;
    if (compared?.feature === undefined || !beside.layer) return;
    const { feature, ...layer } = compared;
    const node = nodeOfFeature(beside.layer, feature);
    if (node === null) showMessage(`Feature ${feature} is not on the map of layer ${layer.layer}.`);
    else this.selection.select(node, { on: this.second });
    this.store.update({ compared: layer });
  }

  private open(): void {
    document.body.classList.add("comparing");
    byId("right").hidden = false;
    if (this.second.scene || !this.first.scene) return;
    this.second.createScene(this.frames);
    drawMap(this.second, this.store);
  }

  private close(): void {
    if (this.first.scene) this.frames.draw(this.first.scene);
    document.body.classList.remove("comparing");
    byId("right").hidden = true;
    const { beside, inBeside } = this.store.current;
    if (beside.layer === null) return;
    const gone = inBeside ? { selected: null, followed: null, inBeside: false } : {};
    this.store.update({ ...gone, beside: EMPTY_HALF });
  }

  /** Selects what is on the track of the selected feature, unless that was selected here. */
  private followSelection(): void {
    const { inBeside, followed, beside, layer: first, region } = this.store.current;
    const { layer } = beside;
    if (!layer || (inBeside && beside.selected !== null)) return;
    const joined = followed !== null && (inBeside || layer.modelId === first?.modelId);
    const selected = joined ? nodeOfTrack(layer, followed.track) : null;
    const chosen = followed !== null || region !== null ? null : beside.region;
    if (beside.selected !== selected || beside.region !== chosen)
      this.second.store.update({ selected, region: chosen });
  }
}

/** The layer after the one shown, or the one before the last; of a model with one layer, another model. */
function layerToCompare({ layer, wanted, manifests, models }: State): Compared | null {
  const model = wanted && manifests[wanted.modelId];
  if (model) {
    const layers = model.layers.map((entry) => entry.layer);
    const at = layers.indexOf(layer?.layer ?? -1);
    return { modelId: model.modelId, layer: layers[at + 1] ?? layers[at - 1] ?? layers[0]! };
  }
  const [known] = models.flatMap(({ modelId }) => manifests[modelId] ?? []);
  return known ? { modelId: known.modelId, layer: known.layers[0]!.layer } : null;
}
