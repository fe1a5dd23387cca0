/** The choice of colours, what they mean, and the range of them that is shown. */
import {
  availableColorings,
  COLORING_NAMES,
  type Coloring,
  coloringOf,
  colorLayer,
  type Legend,
} from "../colors";
import { withRange } from "../data/filter";
import type { MapScene } from "../scene/mapScene";
import { Brush } from "../ui/brush";
import { byId, setOptions } from "../ui/dom";
import { showLegend } from "../ui/legend";
import { shownOf } from "./filter";
import type { Store } from "./state";

export function followColoring(store: Store, scene: MapScene | null): void {
  const brush = new Brush({
    onRange: (quantity, range) =>
      store.update({ filters: withRange(store.current.filters, quantity, range) }),
  });
  let legend: Legend | null = null;
  let colored: unknown[] = [];
  store.follow(["layer", "coloring", "theme", "selected"], ({ layer, coloring, theme, selected }) => {
    if (!layer) return;
    const effective = coloringOf(layer, coloring);
    const from = effective === "similarity" ? selected : null;
    const wanted = [layer, effective, theme, from];
    if (wanted.every((value, at) => value === colored[at])) return;
    colored = wanted;
    const options = availableColorings(layer).map((value) => ({ value, name: COLORING_NAMES[value] }));
    setOptions(byId<HTMLSelectElement>("coloring"), options, effective);
    const { colors, ...meaning } = colorLayer(layer, effective, theme, from);
    legend = meaning.legend;
    scene?.setColors(colors);
    showLegend(legend, brush);
  });
  store.follow(["layer", "coloring", "theme", "selected", "filters", "shown"], (state) => {
    if (legend?.kind !== "ramp") return;
    brush.show(state.filters[legend.histogram.quantity] ?? null, shownOf(state));
  });
}

/** The colouring after the current one, among those for which the layer has data. */
export function nextColoring(store: Store): Coloring {
  const { layer, coloring } = store.current;
  if (!layer) return coloring;
  const available = availableColorings(layer);
  return available[(available.indexOf(coloringOf(layer, coloring)) + 1) % available.length]!;
}
