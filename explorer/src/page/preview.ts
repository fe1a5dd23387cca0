/** The feature under the pointer, or pointed at in a list: a ring and its label on the map. */
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import type { Store } from "./state";

export class Preview {
  private readonly canvas = byId("map");
  private readonly tooltip = byId("tooltip");

  constructor(
    private readonly store: Store,
    private readonly scene: MapScene | null,
  ) {
    store.follow(["layer"], () => this.show(null));
  }

  show(node: number | null): void {
    const { layer, selected } = this.store.current;
    this.scene?.setHovered(node);
    this.canvas.style.cursor = node === null ? "" : "pointer";
    const at = node === null ? null : (this.scene?.screenPosition(node) ?? null);
    this.tooltip.hidden = at === null || node === selected;
    if (this.tooltip.hidden || node === null || at === null || !layer) return;
    this.tooltip.textContent = display(layer.labels[node] ?? `no label (#${layer.index[node]})`, 120);
    // To the left of its point near the right edge.
    const shift = at.x > this.canvas.clientWidth - 300 ? "calc(-100% - 14px)" : "14px";
    this.tooltip.style.transform = `translate(${at.x.toFixed(0)}px, ${at.y.toFixed(0)}px) translate(${shift}, -50%)`;
  }
}
