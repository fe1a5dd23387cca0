/** The feature under the pointer, or pointed at in a list: a ring and its label on the map. */
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import type { Store } from "./state";

export function followPreview(
  store: Store,
  scene: MapScene | null,
  canvas: HTMLElement,
  tooltip: HTMLElement,
): void {
  store.follow(["layer", "pointedAt", "selected"], ({ layer, pointedAt: node, selected }) => {
    scene?.setHovered(node);
    canvas.style.cursor = node === null ? "" : "pointer";
    const at = node === null ? null : (scene?.screenPosition(node) ?? null);
    tooltip.hidden = !layer || at === null || node === selected;
    if (!layer || node === null || at === null) return;
    tooltip.textContent = display(layer.labels[node] ?? `no label (#${layer.index[node]})`, 120);
    // To the left of its point near the right edge.
    const shift = at.x > canvas.clientWidth - 300 ? "calc(-100% - 14px)" : "14px";
    tooltip.style.transform = `translate(${at.x.toFixed(0)}px, ${at.y.toFixed(0)}px) translate(${shift}, -50%)`;
  });
}
