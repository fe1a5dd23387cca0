/** The page's address follows what is shown: it can be shared, and the browser's Back undoes a selection. */
import { coloringOf } from "../colors";
import { fitsAddress } from "../data/featureSet";
import { featureBeside, pinsOf, type State, type Store } from "./state";
import { formatState, parseState, type ViewState } from "./urlState";

/** Marks the addresses of this visit, to which Back and Forward lead. */
const VISITED = "visited";

/** The view that the address has changed to. Back and Forward leave the pinned features as they are. */
export function viewOfAddress(): ViewState {
  const { pinned, set, ...view } = parseState(location.hash);
  return !pinned?.length || history.state === VISITED ? view : { ...view, pinned, set };
}

export function followAddress(store: Store): void {
  let before = store.current;
  store.follow(
    [
      "source",
      "selected",
      "region",
      "compared",
      "beside",
      "inBeside",
      "pinned",
      "map",
      "query",
      "coloring",
      "filters",
      "silentShown",
      "minCosine",
      "camera",
      "opening",
    ],
    (state) => {
      const step = selectionOf(state) !== selectionOf(before);
      before = state;
      if (state.opening || state.source === null) return;
      const hash = formatState(viewOf(state));
      if (hash === location.hash) return;
      // Without a hash: nothing leads to a file of the visitor's own.
      const url = hash || `${location.pathname}${location.search}`;
      if (step) history.pushState(VISITED, "", url);
      else history.replaceState(VISITED, "", url);
    },
  );
}

/** What Back undoes a change of. */
function selectionOf(state: State): string {
  const { layer, selected, region, compared } = state;
  const beside = compared === null ? "" : `${compared.modelId}/${compared.layer}/${featureBeside(state)}`;
  if (region !== null) return `${beside} ${layer!.layer}/${layer!.regions[region]!.id}`;
  return selected === null ? beside : `${beside} ${layer!.layer}/${selected}`;
}

function viewOf(state: State): ViewState {
  const { layer, source, selected, region, compared } = state;
  if (layer === null || source?.kind !== "published") return {};
  const { modelId } = source;
  const pins = pinsOf(state);
  return {
    ...state,
    model: modelId,
    layer: source.layer,
    map: layer.maps.frame && state.map,
    feature: selected === null ? null : layer.index[selected]!,
    region: region === null ? null : layer.regions[region]!.id,
    compared: compared?.modelId === modelId ? { layer: compared.layer } : compared,
    featureBeside: featureBeside(state),
    pinned: fitsAddress(pins) ? pins.members : null,
    set: pins.name,
    coloring: coloringOf(layer, state.coloring),
  };
}
