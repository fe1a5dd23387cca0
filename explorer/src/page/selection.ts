/** The selected feature: its panel, and the ways to select another. */
import { inOneFrame } from "../data/comparison";
import { type Layer, linkCount } from "../data/layer";
import type { LayerWorker } from "../data/layerWorker";
import { counted, display } from "../data/text";
import type { FeatureId } from "../data/tracks";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { FeaturePanel } from "../ui/featurePanel";
import { announce } from "../ui/notices";
import { onChange, readOf, type State, type Store, selecting, selectingBeside } from "./state";

export class Selection {
  readonly panel = new FeaturePanel({
    onWalk: (node) => this.select(node, { fly: true }),
    onPreview: (node) => this.point(node),
    onLeave: (feature) => this.onLeave(feature),
    onRegion: (region) => this.onRegion(region),
    onFly: () => this.fly(),
    onPin: () => this.onPin(),
    onClose: () => this.select(null),
  });
  /** Called for a feature of another layer. */
  onLeave: (feature: FeatureId) => void = () => {};
  /** Called to pin the selected feature, or no longer. */
  onPin: () => void = () => {};
  /** Called for a region around the selected feature. */
  onRegion: (region: number) => void = () => {};
  /** For screen readers: where the selected feature is in a layer that is compared. */
  describeElsewhere: (state: State) => string = () => "";
  /** The map beside the first, and its reader, once there is one. */
  sceneBeside: MapScene | null = null;
  workerBeside: LayerWorker | null = null;

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    worker: LayerWorker,
  ) {
    let before = store.current;
    const show = async (state: State) => {
      const { followed, region, inBeside } = state;
      const { layer, selected } = readOf(state);
      const arrival = inBeside ? `Layer ${layer!.layer}. ` : arrivalOf(before, state);
      before = state;
      const some = selected !== null || followed !== null || region !== null || inBeside;
      document.body.classList.toggle("has-selection", some);
      if (!layer || (selected === null && followed === null)) {
        // Not lost with the panel: the map's keys work on.
        if (this.panel.hasFocus) byId("map").focus();
        return this.panel.hide();
      }
      if (selected === null) return this.panel.showAbsent(followed!);
      this.panel.show(layer, selected, state.beside.layer !== null);
      const label = display(layer.labels[selected] ?? "no label", 200);
      const links = counted(linkCount(layer, selected), "link");
      const elsewhere = this.describeElsewhere(state);
      announce(`${arrival}Feature ${layer.index[selected]}: ${label}, ${links}${elsewhere}`);
      const reader = inBeside ? this.workerBeside! : worker;
      const details = await reader.details(layer.index[selected]!).catch(() => null);
      const { layer: shown, selected: still } = readOf(store.current);
      if (details && shown === layer && still === selected) this.panel.describe(details);
    };
    store.follow(
      ["layer", "selected", "followed", "region", "beside", "inBeside"],
      onChange((state) => {
        const { layer, selected } = readOf(state);
        return [layer, selected, state.followed, state.region, state.beside.layer === null];
      }, show),
    );
  }

  /** On the map that the panel reads. */
  select(node: number | null, { fly = false } = {}): void {
    if (this.store.current.inBeside) this.selectBeside(node, { fly });
    else this.selectFirst(node, { fly });
  }

  selectFirst(node: number | null, { fly = false } = {}): void {
    const { layer } = this.store.current;
    if (!layer) return;
    this.store.update(selecting(layer, node));
    if (fly) this.fly();
  }

  selectBeside(node: number | null, { fly = false } = {}): void {
    if (!this.store.current.beside.layer) return;
    this.store.update(selectingBeside(this.store.current, node));
    if (fly) this.fly();
  }

  /** Selects a search result, flies there, and goes on reading in its panel. */
  choose(node: number): void {
    this.selectFirst(node, { fly: true });
    this.panel.focus();
  }

  /** Flies to the selected feature. */
  fly(): void {
    const { current } = this.store;
    const { layer, beside, inBeside } = current;
    const { selected } = readOf(current);
    const scene = inBeside ? this.sceneBeside : this.scene;
    const framed = layer && beside.layer && inOneFrame(layer, beside.layer);
    const other = framed ? (inBeside ? current : beside).selected : null;
    if (selected !== null) scene?.flyTo(selected, other);
  }

  private point(node: number | null): void {
    const { beside, inBeside } = this.store.current;
    this.store.update(inBeside ? { beside: { ...beside, pointedAt: node } } : { pointedAt: node });
  }
}

/** For screen readers: the layer that the selection has come to along its track, and how similar it still is. */
function arrivalOf({ layer: from, selected: origin }: State, { layer, selected, source }: State): string {
  if (!from || !layer || selected === null || from.layer === layer.layer || source?.kind !== "published")
    return "";
  const cosine = origin === null ? null : cosineBetween(from, origin, layer, selected);
  return `Layer ${layer.layer}${cosine === null ? "" : `, cosine ${cosine.toFixed(2)} to layer ${from.layer}`}. `;
}

/** Between features of adjacent layers, if one is the nearest of the other; null otherwise. */
function cosineBetween(from: Layer, origin: number, layer: Layer, node: number): number | null {
  const nearest = layer.passage?.[layer.layer > from.layer ? "previous" : "next"];
  return nearest && nearest.index[node] === from.index[origin] ? nearest.cosine[node]! : null;
}
