/** What the panels leave free of the map. */
import { byId } from "../ui/dom";

const GAP = 16;

/** In CSS pixels: between panels at the sides, or above and below on a phone. */
export function freeSpace(): { left: number; top: number; right: number; bottom: number } {
  const find = byId("find").getBoundingClientRect();
  // Empty while hidden.
  const feature = byId("feature").getBoundingClientRect();
  if (find.width > 0.6 * innerWidth) {
    const below = feature.height || byId("legend-panel").getBoundingClientRect().height;
    return { left: 0, top: find.bottom, right: innerWidth, bottom: innerHeight - below - GAP };
  }
  const right = feature.width === 0 ? innerWidth : innerWidth - feature.width - GAP;
  return { left: find.right, top: 0, right, bottom: innerHeight };
}
