/** The selected feature: its panel, and the ways to select another. */
import { type Layer, linkCount } from "../data/layer";
import type { LayerWorker } from "../data/layerWorker";
import { counted, display } from "../data/text";
import type { FeatureId } from "../data/tracks";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { FeaturePanel } from "../ui/featurePanel";
import { announce } from "../ui/notices";
import { type State, type Store, selecting } from "./state";

export class Selection {
  readonly panel = new FeaturePanel({
    onWalk: (node) => this.select(node, { fly: true }),
    onPreview: (node) => this.store.update({ pointedAt: node }),
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

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    worker: LayerWorker,
  ) {
    let before = store.current;
    store.follow(["layer", "selected", "followed", "region"], async (state) => {
      const { layer, selected, followed, region } = state;
      const arrival = arrivalOf(before, state);
      before = state;
      const some = selected !== null || followed !== null || region !== null;
      document.body.classList.toggle("has-selection", some);
      if (!layer || (selected === null && followed === null)) {
        // Not lost with the panel: the map's keys work on.
        if (this.panel.hasFocus) byId("map").focus();
        return this.panel.hide();
      }
      if (selected === null) return this.panel.showAbsent(followed!);
      this.panel.show(layer, selected);
      const label = display(layer.labels[selected] ?? "no label", 200);
      const links = counted(linkCount(layer, selected), "link");
      announce(`${arrival}Feature ${layer.index[selected]}: ${label}, ${links}`);
      const details = await worker.details(layer.index[selected]!).catch(() => null);
      const { layer: shown, selected: still } = store.current;
      if (details && shown === layer && still === selected) this.panel.describe(details);
    });
  }

  select(node: number | null, { fly = false } = {}): void {
    const { layer } = this.store.current;
    if (!layer) return;
    this.store.update(selecting(layer, node));
    if (fly) this.fly();
  }

  /** Selects a search result, flies there, and goes on reading in its panel. */
  choose(node: number): void {
    this.select(node, { fly: true });
    this.panel.focus();
  }

  /** Flies to the selected feature. */
  fly(): void {
    const { selected } = this.store.current;
    if (selected !== null) this.scene?.flyTo(selected);
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
