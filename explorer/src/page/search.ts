/** The search: what is typed, what it finds, and where that is. */
import { isSilent, NO_FILTERS } from "../data/filter";
import type { LayerWorker } from "../data/layerWorker";
import type { MapScene } from "../scene/mapScene";
import { SearchBox } from "../ui/searchBox";
import type { Selection } from "./selection";
import type { Store } from "./state";

export function followSearch(
  store: Store,
  scene: MapScene | null,
  worker: LayerWorker,
  selection: Selection,
): SearchBox {
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
  let searched = store.current;
  store.follow(["layer", "query"], async ({ layer, query }) => {
    // On another map the hits are elsewhere; an address brings its own camera, and the selected feature stays in sight.
    const { opening, selected, followed } = store.current;
    const free = !opening && selected === null && followed === null;
    const elsewhere = free && layer !== searched.layer;
    searched = store.current;
    if (!layer || query.trim() === "") return store.update({ hits: null });
    const hits = await worker.search(query).catch(() => null);
    if (hits === null || store.current.layer !== layer || store.current.query !== query) return;
    store.update({ hits: { ...hits, query } });
    if (elsewhere && hits.nodes.length > 0) scene?.flyToAll(hits.nodes.slice(0, hits.best));
  });
  store.follow(["layer", "query", "hits"], (state) => box.show(state));
  store.follow(["layer", "hits", "shown"], (state) => box.locate(state));
  return box;
}
