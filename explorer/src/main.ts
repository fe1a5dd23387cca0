/** The page: its parts, which all follow one state (page/state.ts), and how it starts. */
import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { LayerWorker } from "./data/layerWorker";
import { followAddress, viewOfAddress } from "./page/address";
import { followColors, followLegend } from "./page/coloring";
import { Compare } from "./page/compare";
import { followComparison } from "./page/comparison";
import { wireControls } from "./page/controls";
import { ExportDialog } from "./page/exportDialog";
import { followFilters, followShown } from "./page/filter";
import { followJourney } from "./page/journey";
import { followLayerControls, followSelectors } from "./page/layerControls";
import { drawMap, followLinks } from "./page/mapView";
import { Navigation } from "./page/navigation";
import { PageMap } from "./page/pageMap";
import { Pins } from "./page/pins";
import { RegionChoice } from "./page/regions";
import { followHits, followSearch } from "./page/search";
import { Selection } from "./page/selection";
import { INITIAL, Store, StoreBeside } from "./page/state";
import { followTheme } from "./page/theme";
import { parseState } from "./page/urlState";
import { Frames } from "./scene/frames";
import { scriptUrl } from "./trusted";
import { byId } from "./ui/dom";

byId("app").hidden = false;
const store = new Store(INITIAL);

// The order of this is the order in which the parts react to a change.
followTheme(store);
// Starts while the scene is made.
const first = new PageMap(store, byId("left"), new LayerWorker());
const second = new PageMap(new StoreBeside(store), byId("right"));
const frames = new Frames(first.canvas);
first.createScene(frames);
for (const map of [first, second]) {
  followShown(map.store);
  followColors(map.store, store);
  followHits(map, map === first);
}
followFilters(store);
followLegend(store);
followSelectors(store, { model: "model", layer: "layer", previous: "previous-layer", next: "next-layer" });
followSelectors(second.store, {
  model: "other-model",
  layer: "other-layer",
  previous: "other-previous",
  next: "other-next",
});
followLayerControls(store);
const selection = new Selection(store, first, second);
followJourney(first, selection.panel.journey);
const regions = new RegionChoice(store, first, second, selection);
const pins = new Pins(store, first, second, selection);
const searchBox = followSearch(first, selection);
drawMap(first, store);
followLinks(first);
const compare = new Compare(store, first, second, frames, selection);
const joins = followComparison(first, second, frames, compare, selection, regions);
followAddress(store);
const navigation = new Navigation(store, first);
const exportDialog = new ExportDialog(first, second, pins, joins);
wireControls({
  first,
  second,
  frames,
  navigation,
  selection,
  regions,
  searchBox,
  pins,
  exportDialog,
  compare,
});

addEventListener("hashchange", () => void navigation.open(viewOfAddress()));
void navigation.start(parseState(location.hash)).then(storePage);

/** Stores the page itself for visits without a network. Browsers allow that to secure pages only (https, localhost). */
function storePage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(scriptUrl("sw.js")).catch((error: unknown) => {
    console.warn("This page needs the network next time:", error);
  });
}
