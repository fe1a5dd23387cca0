/** The page: its parts, which all follow one state (page/state.ts), and how it starts. */
import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { LayerWorker } from "./data/layerWorker";
import { followAddress, viewOfAddress } from "./page/address";
import { followColoring } from "./page/coloring";
import { Compare } from "./page/compare";
import { followComparison } from "./page/comparison";
import { wireControls } from "./page/controls";
import { ExportDialog } from "./page/exportDialog";
import { followFilters } from "./page/filter";
import { followJourney } from "./page/journey";
import { followLayerControls } from "./page/layerControls";
import {
  followLabels,
  followLayer,
  followLinks,
  followMarks,
  followPanels,
  followSceneTheme,
} from "./page/mapView";
import { Navigation } from "./page/navigation";
import { Pins } from "./page/pins";
import { followPreview } from "./page/preview";
import { RegionChoice } from "./page/regions";
import { followSearch } from "./page/search";
import { Selection } from "./page/selection";
import { INITIAL, Store } from "./page/state";
import { followTheme } from "./page/theme";
import { parseState } from "./page/urlState";
import { MapScene } from "./scene/mapScene";
import { SceneLabels } from "./scene/sceneLabels";
import { scriptUrl } from "./trusted";
import { byId } from "./ui/dom";

byId("app").hidden = false;
const store = new Store(INITIAL);
const worker = new LayerWorker();

// The order of this is the order in which the parts react to a change.
followTheme(store);
const scene = createScene("map", "scene-labels");
if (scene) {
  followSceneTheme(store, scene);
  followLayer(store, scene);
}
followFilters(store, scene);
followColoring(store, scene);
followLayerControls(store);
const selection = new Selection(store, scene, worker);
followJourney(store, scene, worker, selection.panel.journey);
const regions = new RegionChoice(store, scene, selection);
const pins = new Pins(store, scene, worker, selection);
const searchBox = followSearch(store, scene, worker, selection);
if (scene) {
  followLinks(store, scene);
  followPanels(store, scene, byId("map"));
  followMarks(store, scene);
  followLabels(store, scene);
}
followPreview(store, scene, byId("map"), byId("tooltip"));
const compare = new Compare(store, scene, () => createScene("other-map", "other-labels"), selection);
followComparison(store, scene, compare, selection, regions);
followAddress(store);
const navigation = new Navigation(store, scene, worker);
const exportDialog = new ExportDialog(store, scene, pins, compare);
wireControls({ store, scene, navigation, selection, regions, searchBox, pins, exportDialog, compare });

addEventListener("hashchange", () => void navigation.open(viewOfAddress()));
void navigation.start(parseState(location.hash)).then(storePage);

function createScene(canvas: string, labels: string): MapScene | null {
  const panels = () => [...document.querySelectorAll(".panel:not([hidden]), .half-title:not([hidden])")];
  try {
    return new MapScene(byId<HTMLCanvasElement>(canvas), new SceneLabels(byId(labels), panels));
  } catch (error) {
    console.warn("No WebGL 2:", error);
    byId("no-webgl").hidden = false;
    return null;
  }
}

/** Stores the page itself for visits without a network. Browsers allow that to secure pages only (https, localhost). */
function storePage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(scriptUrl("sw.js")).catch((error: unknown) => {
    console.warn("This page needs the network next time:", error);
  });
}
