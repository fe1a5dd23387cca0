/** The page: its parts, which all follow one state (page/state.ts), and how it starts. */
import "@fontsource-variable/inter/wght.css";
import "./style.css";
import { nodeOfFeature } from "./data/layer";
import { Published } from "./data/published";
import { Address } from "./page/address";
import { followColoring } from "./page/coloring";
import { wireControls } from "./page/controls";
import { Layers } from "./page/layers";
import { followLabels, followLayer, followMarks, followPanels, followSceneTheme } from "./page/mapView";
import { Preview } from "./page/preview";
import { Selection } from "./page/selection";
import { Store } from "./page/state";
import { followTheme, storedTheme } from "./page/theme";
import { parseState, type ViewState } from "./page/urlState";
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

/** Shows the view that an address names, or the nearest that exists. */
async function open(view: ViewState): Promise<void> {
  const known = published.models.some(({ modelId }) => modelId === view.model);
  const modelId = known ? view.model! : (published.manifest?.modelId ?? published.models[0]!.modelId);
  if (!(await layers.chooseModel(modelId))) return;
  const entries = published.manifest!.layers;
  const entry = published.layer(view.layer ?? -1) ?? entries[Math.floor(entries.length / 2)]!;
  const shown = store.current.published;
  const same = shown?.modelId === modelId && shown.layer === entry.layer;
  if (!same && !(await layers.showPublished(entry.layer))) return;
  if (view.model !== undefined && !known) showMessage(`No model ${view.model} is published here.`);
  else if (view.layer !== undefined && entry.layer !== view.layer) {
    showMessage(`${modelId} has no layer ${view.layer} here.`);
  }
  if (view.coloring) store.update({ coloring: view.coloring });
  if (view.camera) scene?.camera.setView(view.camera);
  const node = view.feature === undefined ? null : nodeOfFeature(store.current.layer!, view.feature);
  selection.select(node, { fly: node !== null && !view.camera, step: false });
  address.remember();
}

/** Stores the page itself for visits without a network. Browsers allow that to secure pages only (https, localhost). */
function storePage(): void {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  navigator.serviceWorker.register(scriptUrl("sw.js")).catch((error: unknown) => {
    console.warn("This page needs the network next time:", error);
  });
}
