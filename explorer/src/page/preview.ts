/** The feature under the pointer, or pointed at in a list: a ring and its label on the map. */
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { freeSpace } from "./freeSpace";
import type { Store } from "./state";

/** CSS pixels between the point and its label, and room for a label before the edge of the free space. */
const GAP = 14;
const ROOM = 290;

export function followPreview(store: Store, scene: MapScene | null): void {
  const canvas = byId("map");
  const tooltip = byId("tooltip");
  store.follow(["layer", "pointedAt", "selected"], ({ layer, pointedAt: node, selected }) => {
    scene?.setHovered(node);
    canvas.style.cursor = node === null ? "" : "pointer";
    tooltip.hidden = !scene || !layer || node === null || node === selected;
    if (tooltip.hidden || !scene || !layer || node === null) return;
    const { left, top, right, bottom } = freeSpace();
    // Behind the eye: below, where one would have to step back.
    const at = scene.screenPosition(node) ?? { x: (left + right) / 2, y: Infinity };
    const x = Math.min(Math.max(at.x, left), right);
    const y = Math.min(Math.max(at.y, top), bottom);
    const label = display(layer.labels[node] ?? `no label (#${layer.index[node]})`, 120);
    const outside = x !== at.x || y !== at.y;
    tooltip.textContent = outside ? `${label} (out of sight)` : label;
    // To the left of its point near the right edge.
    const shift = x > right - ROOM ? `calc(-100% - ${GAP}px)` : `${GAP}px`;
    const middle = y >= bottom ? "-100%" : y <= top ? "0" : "-50%";
    tooltip.style.transform = `translate(${x.toFixed(0)}px, ${y.toFixed(0)}px) translate(${shift}, ${middle})`;
  });
}
