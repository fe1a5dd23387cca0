/** The selected feature: its panel, and the ways to select another. */
import { linkCount } from "../data/layer";
import type { LayerWorker } from "../data/layerWorker";
import { counted, display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { FeaturePanel } from "../ui/featurePanel";
import { announce } from "../ui/notices";
import type { Store } from "./state";

export class Selection {
  private readonly panel = new FeaturePanel({
    onWalk: (node) => this.select(node, { fly: true }),
    onPreview: (node) => this.store.update({ pointedAt: node }),
    onFly: () => this.fly(),
    onClose: () => this.select(null),
  });

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    worker: LayerWorker,
  ) {
    store.follow(["layer", "selected"], async ({ layer, selected }) => {
      document.body.classList.toggle("has-selection", selected !== null);
      if (!layer || selected === null) {
        // Not lost with the panel: the map's keys work on.
        if (this.panel.hasFocus) byId("map").focus();
        return this.panel.hide();
      }
      this.panel.show(layer, selected);
      const label = display(layer.labels[selected] ?? "no label", 200);
      announce(`Feature ${layer.index[selected]}: ${label}, ${counted(linkCount(layer, selected), "link")}`);
      const details = await worker.details(layer.index[selected]!).catch(() => null);
      const { layer: shown, selected: still } = store.current;
      if (details && shown === layer && still === selected) this.panel.describe(details);
    });
  }

  select(node: number | null, { fly = false } = {}): void {
    if (!this.store.current.layer) return;
    this.store.update({ selected: node, pointedAt: null });
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
