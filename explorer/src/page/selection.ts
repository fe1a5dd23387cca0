/** The selected feature: its panel, and the ways to select another. */
import { linkCount } from "../data/layer";
import { counted, display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import { FeaturePanel } from "../ui/featurePanel";
import { announce } from "../ui/notices";
import type { Address } from "./address";
import type { Preview } from "./preview";
import type { Store } from "./state";

export class Selection {
  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
    private readonly address: Address,
    private readonly preview: Preview,
  ) {
    const panel = new FeaturePanel({
      onWalk: (node) => this.select(node, { fly: true }),
      onPreview: (node) => preview.show(node),
      onFly: () => this.fly(),
      onClose: () => this.select(null),
    });
    store.follow(["layer", "selected"], ({ layer, selected }) => {
      document.body.classList.toggle("has-selection", selected !== null);
      if (!layer || selected === null) return panel.hide();
      panel.show(layer, selected);
      const label = display(layer.labels[selected] ?? "no label", 200);
      announce(`Feature ${layer.index[selected]}: ${label}, ${counted(linkCount(layer, selected), "link")}`);
    });
  }

  /** Selects a node, or none. `step` makes it a step that the browser's Back undoes. */
  select(node: number | null, { fly = false, step = true } = {}): void {
    if (!this.store.current.layer) return;
    this.store.update({ selected: node });
    this.preview.show(null);
    if (fly) this.fly();
    if (step) this.address.remember("push");
  }

  /** Flies to the selected feature. */
  fly(): void {
    const { selected } = this.store.current;
    if (selected !== null) this.scene?.flyTo(selected);
  }
}
