/** The page's address follows what is shown: it can be shared, and the browser's Back undoes a selection. */
import { coloringOf } from "../colors";
import { fitsAddress } from "../data/featureSet";
import { featureBeside, pinsOf, type State, type Store } from "./state";
import { formatState, parseState, type ViewState } from "./urlState";

/** Marks the addresses of this visit, to which Back and Forward lead. */
const VISITED = "visited";

/** The view that the address has changed to. Back and Forward leave the pinned features as they are. */
export function viewOfAddress(): ViewState {
  const { pinned, ...view } = parseState(location.hash);
  return pinned === undefined || history.state === VISITED ? view : { ...view, pinned };
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
  const { layer, source, selected, region, map, query, coloring, filters, silentShown, minCosine, camera } =
    state;
  const { compared } = state;
  const there = featureBeside(state);
  if (layer === null || source?.kind !== "published") return {};
  const pins = pinsOf(state);
  const effective = coloringOf(layer, coloring);
  return {
    model: source.modelId,
    layer: source.layer,
    ...(layer.maps.frame !== null && { map }),
    ...(selected !== null && { feature: layer.index[selected]! }),
    ...(region !== null && { region: layer.regions[region]!.id }),
    ...(compared && {
      compared: {
        ...(compared.modelId !== source.modelId && { modelId: compared.modelId }),
        layer: compared.layer,
      },
    }),
    ...(there !== null && { featureBeside: there }),
    ...(pins.members.length > 0 && fitsAddress(pins) && { pinned: pins }),
    ...(query !== "" && { query }),
    ...(effective !== "links" && { coloring: effective }),
    ...(Object.keys(filters).length > 0 && { filters }),
    ...(silentShown && { silentShown }),
    ...(minCosine !== null && { minCosine }),
    ...(camera !== null && { camera }),
  };
}
