/** The search: what is typed, what it finds, and where that is. */
import { isSilent, NO_FILTERS } from "../data/filter";
import { layerEntry } from "../data/published";
import { SearchBox } from "../ui/searchBox";
import type { PageMap } from "./pageMap";
import type { Selection } from "./selection";
import { modelOf, type State } from "./state";

/** Milliseconds: the first letters of a word are seldom what is looked for. */
const AFTER_TYPING = 300;

/** What the search finds on a map. `leads`: the camera flies to what is found on another layer. */
export function followHits(map: PageMap, leads: boolean): void {
  const { store } = map;
  let before = store.current.layer;
  store.follow(["layer", "query"], async ({ layer, query, opening, selected, followed }) => {
    // An address brings its own camera, and the selected feature stays in sight.
    const flies = leads && layer !== before && !opening && selected === null && followed === null;
    before = layer;
    if (!layer || query.trim() === "") return store.update({ hits: null });
    const hits = await map.worker.search(query).catch(() => null);
    if (hits === null || store.current.layer !== layer || store.current.query !== query) return;
    store.update({ hits: { ...hits, query } });
    if (flies && hits.nodes.length > 0) map.scene?.flyToAll(hits.nodes.slice(0, hits.best));
  });
}

export function followSearch(map: PageMap, selection: Selection): SearchBox {
  const { store } = map;
  const box = new SearchBox({
    onQuery: (query) => store.update({ query }),
    onPreview: (node) => store.update({ pointedAt: node }),
    onChosen: (node) => selection.choose(node),
    onShowAll: () => {
      const { layer, hits, silentShown } = store.current;
      const silent = hits?.nodes.some((node) => isSilent(layer!, node)) ?? false;
      store.update({ filters: NO_FILTERS, silentShown: silentShown || silent });
    },
  });
  store.follow(["layer", "query", "hits"], (state) => box.show(state));
  store.follow(["layer", "hits", "shown"], (state) => box.locate(state));
  followLayers(map, box);
  return box;
}

/** Counts what the search finds in the other layers of a model with an atlas, once what it finds in this one is shown. */
function followLayers({ store, worker }: PageMap, { layers }: SearchBox): void {
  let counted: { sha256: string; query: string; counts: Map<number, number> } | null = null;
  let waiting = 0;
  const show = (state: State) => {
    const { layer, hits, query } = state;
    const model = modelOf(state);
    if (!layer || !model?.atlas || query.trim() === "") return layers.hide();
    // While another layer is on its way, what is known stays.
    if (hits?.query !== query) return;
    const { tracks } = model.atlas;
    clearTimeout(waiting);
    if (counted?.sha256 === tracks.sha256 && counted.query === query) {
      return layers.show(counted.counts, layer.layer);
    }
    layers.hide();
    waiting = window.setTimeout(async () => {
      // Without the tracks, only this layer is searched.
      const counts = await worker.counts({ manifestUrl: model.url.href, tracks, query }).catch(() => null);
      if (counts === null) return;
      const published = [...counts].filter(([number]) => layerEntry(model, number) !== null);
      counted = { sha256: tracks.sha256, query, counts: new Map(published) };
      show(store.current);
    }, AFTER_TYPING);
  };
  store.follow(["layer", "query", "hits"], show);
}
