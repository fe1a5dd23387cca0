/** The choice of colours, what they mean, and the range of them that is shown. */
import { availableColorings, COLORING_NAMES, type Coloring, coloringOf, colorLayer } from "../colors";
import { withRange } from "../data/filter";
import { Brush } from "../ui/brush";
import { byId, setOptions } from "../ui/dom";
import { showLegend } from "../ui/legend";
import { shownOf } from "./filter";
import type { Store } from "./state";

/** The colours of a map, by the scale of the first: a colour means the same on both. */
export function followColors(store: Store, first: Store): void {
  store.follow(
    ({ layer, coloring, theme, selected }) => {
      const effective = layer && coloringOf(layer, coloring);
      const from = effective === "similarity" ? selected : null;
      return [layer, effective, theme, from, first.current.layer];
    },
    ({ layer, coloring, theme, selected }) => {
      const like = first.current.layer ?? undefined;
      store.update({
        colored: layer && colorLayer(layer, coloringOf(layer, coloring), theme, selected, like),
      });
    },
  );
}

export function followLegend(store: Store): void {
  const brush = new Brush({
    onRange: (quantity, range) =>
      store.update({ filters: withRange(store.current.filters, quantity, range) }),
  });
  store.follow(["colored"], ({ layer, coloring, colored }) => {
    if (!layer || !colored) return;
    const options = availableColorings(layer).map((value) => ({ value, name: COLORING_NAMES[value] }));
    setOptions(byId<HTMLSelectElement>("coloring"), options, coloringOf(layer, coloring));
    showLegend(colored.legend, brush);
  });
  store.follow(["colored", "filters", "shown"], (state) => {
    const legend = state.colored?.legend;
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
