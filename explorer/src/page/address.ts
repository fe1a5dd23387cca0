/** The page's address follows what is shown: it can be shared, and the browser's Back undoes a selection. */
import { coloringOf } from "../colors";
import type { State, Store } from "./state";
import { formatState, type ViewState } from "./urlState";

export function followAddress(store: Store): void {
  let before = store.current;
  store.follow(["source", "selected", "query", "coloring", "minCosine", "camera", "opening"], (state) => {
    const step = state.layer === before.layer && state.selected !== before.selected;
    before = state;
    if (state.opening || state.source === null) return;
    const hash = formatState(viewOf(state));
    if (hash === location.hash) return;
    // Without a hash: nothing leads to a file of the visitor's own.
    const url = hash || `${location.pathname}${location.search}`;
    if (step) history.pushState(null, "", url);
    else history.replaceState(null, "", url);
  });
}

function viewOf(state: State): ViewState {
  const { layer, source, selected, query, coloring, minCosine, camera } = state;
  if (layer === null || source?.kind !== "published") return {};
  const effective = coloringOf(layer, coloring);
  return {
    model: source.modelId,
    layer: source.layer,
    ...(selected !== null && { feature: layer.index[selected]! }),
    ...(query !== "" && { query }),
    ...(effective !== "links" && { coloring: effective }),
    ...(minCosine !== null && { minCosine }),
    ...(camera !== null && { camera }),
  };
}
