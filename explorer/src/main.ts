/** The page: its parts, which all follow one state (page/state.ts), and how it starts. */
import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { nodeOfFeature } from "./data/layer";
import { Published } from "./data/published";
import { Address } from "./page/address";
import { followColoring } from "./page/coloring";
import { wireControls } from "./page/controls";
import { Layers } from "./page/layers";
import {
  followLabels,
  followLayer,
  followLinks,
  followMarks,
  followPanels,
  followSceneTheme,
} from "./page/mapView";
import { Preview } from "./page/preview";
import { Selection } from "./page/selection";
import { Store } from "./page/state";
import { followTheme, storedTheme } from "./page/theme";
import { parseState, type ViewState } from "./page/urlState";
import { showsMap } from "./scene/camera";
import { MapScene } from "./scene/mapScene";
import { SceneLabels } from "./scene/sceneLabels";
import { scriptUrl } from "./trusted";
import { byId } from "./ui/dom";
import { showMessage } from "./ui/notices";
import { SearchBox } from "./ui/searchBox";

const published = new Published();
const store = new Store({
  layer: null,
  published: null,
  selected: null,
  hits: null,
  coloring: "links",
  theme: storedTheme(),
  labelsVisible: true,
  linksVisible: true,
  minCosine: null,
});

// The order of this is the order in which the parts react to a change.
followTheme(store);
const scene = createScene();
if (scene) {
  followSceneTheme(store, scene);
  followLayer(store, scene);
}
followColoring(store, scene);
const address = new Address(store, scene);
const preview = new Preview(store, scene);
const selection = new Selection(store, scene, address, preview);
const searchBox = new SearchBox({
  onSearch: (hits) => store.update({ hits }),
  onPreview: (node) => preview.show(node),
  onChosen: (node) => selection.select(node, { fly: true }),
});
store.follow(["layer"], ({ layer }) => {
  if (layer) searchBox.setLayer(layer);
});
if (scene) {
  followLinks(store, scene);
  followPanels(store, scene);
  followMarks(store, scene);
  followLabels(store, scene);
}
const layers = new Layers(store, published);
wireControls({ store, scene, layers, selection, preview, searchBox, address, open });
void start().then(storePage);

function createScene(): MapScene | null {
  const panels = () => [...document.querySelectorAll(".panel:not([hidden])")];
  try {
    return new MapScene(byId<HTMLCanvasElement>("map"), new SceneLabels(byId("scene-labels"), panels));
  } catch (error) {
    console.warn("No WebGL 2:", error);
    byId("no-webgl").hidden = false;
    return null;
  }
}

async function start(): Promise<void> {
  try {
    await published.loadIndex();
  } catch (error) {
    return layers.fail(error);
  }
  layers.listModels();
  await open(parseState(location.hash));
  addEventListener("hashchange", () => void open(parseState(location.hash)));
}

/**
 * Shows the view that an address names. If its model or layer is not here, a message says so, and another map is shown
 * without a selection: feature 7 of one map is not feature 7 of another.
 */
async function open(view: ViewState): Promise<void> {
  const known = published.models.some(({ modelId }) => modelId === view.model);
  const modelId = known ? view.model! : (published.manifest?.modelId ?? published.models[0]!.modelId);
  if (!(await layers.chooseModel(modelId))) return;
  const shown = store.current.published;
  let missing: string | null = null;
  if (view.model !== undefined && !known) missing = `No model ${view.model} is published here.`;
  else if (view.layer !== undefined && !published.layer(view.layer)) {
    missing = `${modelId} has no layer ${view.layer} here.`;
  }
  const stay = shown?.modelId === modelId ? { layer: shown.layer } : {};
  const { layer, feature, camera }: ViewState = missing === null ? view : stay;
  const entries = published.manifest!.layers;
  const entry = published.layer(layer ?? -1) ?? entries[Math.floor(entries.length / 2)]!;
  const same = shown?.modelId === modelId && shown.layer === entry.layer;
  if (!same && !(await layers.showPublished(entry.layer))) return;
  if (missing !== null) showMessage(missing);
  if (view.coloring) store.update({ coloring: view.coloring });
  const map = store.current.layer!;
  const placed = camera !== undefined && showsMap(camera, map);
  if (placed) scene?.camera.setView(camera);
  const node = feature === undefined ? null : nodeOfFeature(map, feature);
  if (feature !== undefined && node === null) showMessage(`Feature ${feature} is not on this map.`);
  selection.select(node, { fly: node !== null && !placed, step: false });
  address.remember();
}

/** Stores the page itself for visits without a network. Browsers allow that to secure pages only (https, localhost). */
function storePage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(scriptUrl("sw.js")).catch((error: unknown) => {
    console.warn("This page needs the network next time:", error);
  });
}
