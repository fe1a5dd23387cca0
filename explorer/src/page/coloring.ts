/** The choice of colours, and what they mean. */
import { availableColorings, COLORING_NAMES, type Coloring, coloringOf, colorLayer } from "../colors";
import type { MapScene } from "../scene/mapScene";
import { byId, setOptions } from "../ui/dom";
import { showLegend } from "../ui/legend";
import type { Store } from "./state";

export function followColoring(store: Store, scene: MapScene | null): void {
  store.follow(["layer", "coloring", "theme"], ({ layer, coloring, theme }) => {
    if (!layer) return;
    const effective = coloringOf(layer, coloring);
    const options = availableColorings(layer).map((value) => ({ value, name: COLORING_NAMES[value] }));
    setOptions(byId<HTMLSelectElement>("coloring"), options, effective);
    const { colors, legend } = colorLayer(layer, effective, theme);
    scene?.setColors(colors);
    showLegend(legend);
  });
}

/** The colouring after the current one, among those for which the layer has data. */
export function nextColoring(store: Store): Coloring {
  const { layer, coloring } = store.current;
  if (!layer) return coloring;
  const available = availableColorings(layer);
  return available[(available.indexOf(coloringOf(layer, coloring)) + 1) % available.length]!;
}
