/** Which features are shown, and the line that counts them. */
import { COLORING_NAMES } from "../colors";
import { describeRange, isSilent, NO_FILTERS, shownNodes } from "../data/filter";
import { QUANTITIES, SCALES } from "../data/quantities";
import { byId } from "../ui/dom";
import { announce } from "../ui/notices";
import type { State, Store } from "./state";

/** Which features of a map are shown. */
export function followShown(store: Store): void {
  store.follow(["layer", "filters", "silentShown", "selected"], (state) => {
    const { layer, filters, silentShown, selected } = state;
    store.update({ shown: layer && shownNodes(layer, filters, silentShown, selected) });
  });
}

export function followFilters(store: Store): void {
  const silent = byId<HTMLInputElement>("silent");
  silent.addEventListener("change", () => store.update({ silentShown: silent.checked }));
  byId("clear-filters").addEventListener("click", () => {
    store.update({ filters: NO_FILTERS });
    announce(shownOf(store.current));
    // The button has gone.
    byId("coloring").focus();
  });
  store.follow(["layer"], ({ layer }) => {
    if (!layer) return;
    const count = layer.index.filter((_, node) => isSilent(layer, node)).length;
    byId("silent-switch").hidden = count === 0;
    byId("silent-count").textContent = count.toLocaleString("en");
  });
  store.follow(["layer", "filters", "silentShown", "shown"], (state) => {
    const { layer, filters, silentShown, shown, selected } = state;
    if (!layer) return;
    const limits = QUANTITIES.filter((quantity) => filters[quantity] && SCALES[quantity].of(layer, selected));
    byId("filter").hidden = shown === null && limits.length === 0;
    byId("shown").textContent = shownOf(state);
    byId("limits").textContent = limits
      .map((quantity) => `${COLORING_NAMES[quantity]}: ${describeRange(quantity, filters[quantity]!)}`)
      .join(" · ");
    byId("clear-filters").hidden = limits.length === 0;
    silent.checked = silentShown;
  });
}

/** "1,203 of 2,048 shown". */
export function shownOf({ layer, shown }: Pick<State, "layer" | "shown">): string {
  const count = layer?.count ?? 0;
  const visible = shown === null ? count : shown.reduce((sum, one) => sum + one, 0);
  return `${visible.toLocaleString("en")} of ${count.toLocaleString("en")} shown`;
}
