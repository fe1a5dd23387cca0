/** Buttons, selectors, keys and pointer: what each of them does. */
import type { Coloring } from "../colors";
import type { Layer } from "../data/layer";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { acceptFiles } from "../ui/fileDrop";
import { watchKeys } from "../ui/keys";
import { hideMessage } from "../ui/notices";
import { watchOutline, watchRows } from "../ui/outline";
import { watchPointer } from "../ui/pointer";
import type { SearchBox } from "../ui/searchBox";
import { nextColoring } from "./coloring";
import type { Compare } from "./compare";
import type { ExportDialog } from "./exportDialog";
import { OWN_FILE } from "./layerControls";
import { recall, remember } from "./memory";
import type { Navigation } from "./navigation";
import type { Pins } from "./pins";
import type { RegionChoice } from "./regions";
import type { Selection } from "./selection";
import type { Store } from "./state";
import { toggleTheme } from "./theme";

export interface Page {
  store: Store;
  /** Null without WebGL. */
  scene: MapScene | null;
  navigation: Navigation;
  selection: Selection;
  regions: RegionChoice;
  searchBox: SearchBox;
  pins: Pins;
  exportDialog: ExportDialog;
  compare: Compare;
}

export function wireControls(page: Page): void {
  const { store, scene, navigation, selection, regions, searchBox, pins, exportDialog, compare } = page;
  const stepLayer = (by: number) => void navigation.step(by);
  const home = () => scene?.camera.flyHome();
  const toggleLabels = () => store.update({ labelsVisible: !store.current.labelsVisible });
  const toggleLinks = () => store.update({ linksVisible: !store.current.linksVisible });
  const help = () => {
    byId("renderer").textContent = scene ? `Drawn by ${scene.rendererName}` : "";
    byId<HTMLDialogElement>("help-dialog").showModal();
  };
  const back = () => {
    const { selected, followed, region, inBeside, beside, query, compared, drawing } = store.current;
    // From here on keys are no letters of the search.
    if (document.activeElement?.id === "search") byId("map").focus();
    if (drawing !== null) return store.update({ drawing: null });
    if (selected !== null || followed !== null || region !== null || inBeside) return selection.select(null);
    if (beside.region !== null) return compare.update({ region: null });
    if (query === "" && compared !== null) return compare.end();
    store.update({ query: "" });
  };

  const onClick = (id: string, action: () => void) => byId(id).addEventListener("click", action);
  onClick("previous-layer", () => stepLayer(-1));
  onClick("next-layer", () => stepLayer(1));
  onClick("theme", () => toggleTheme(store));
  onClick("help", help);
  onClick("zoom-in", () => scene?.camera.zoom(0.7));
  onClick("zoom-out", () => scene?.camera.zoom(1 / 0.7));
  onClick("reset", home);
  onClick("labels", toggleLabels);
  onClick("frame", () => navigation.showOtherMap());
  onClick("close-message", hideMessage);
  onClick("pins", () => pins.togglePanel());
  onClick("export", () => exportDialog.open());
  onClick("compare", () => compare.toggle());
  onClick("other-previous", () => compare.step(-1));
  onClick("other-next", () => compare.step(1));

  const onChoice = (id: string, action: (value: string) => void) => {
    const select = byId<HTMLSelectElement>(id);
    select.addEventListener("change", () => action(select.value));
  };
  onChoice("model", (model) => model !== OWN_FILE && void navigation.showModel(model));
  onChoice("layer", (layer) => void navigation.showLayer(Number(layer)));
  onChoice("coloring", (value) => store.update({ coloring: value as Coloring }));
  onChoice("other-model", (model) => void compare.showModel(model));
  onChoice("other-layer", (layer) => compare.showLayer(Number(layer)));
  searchBox.layers.onLayer = (layer) => {
    // The search leads on, not the selected feature.
    selection.select(null);
    void navigation.showLayer(layer);
  };
  selection.onLeave = (feature) => {
    if (!compare.showFeature(feature)) void navigation.showFeature(feature);
  };
  acceptFiles({
    onFile: async (file) => (await pins.addFile(file)) || navigation.showFile(file),
    onText: (text) => pins.addText(text),
  });

  const map = byId<HTMLCanvasElement>("map");
  watchRows((node, row) => pins.toggle([node], compare.layerOf(row)));
  const pinWithOutline = (
    canvas: HTMLCanvasElement,
    on: () => { scene: MapScene | null; layer: Layer | null },
  ) =>
    watchOutline(canvas, {
      drawing: () => store.current.drawing,
      onStart: () => store.update({ pointedAt: null }),
      onPoint: (x, y, reach) => {
        const node = on().scene?.nodeAt(x, y, reach) ?? null;
        if (node !== null) pins.toggle([node], on().layer);
      },
      onOutline: (outline, remove) => {
        const nodes = on().scene?.nodesWithin(outline) ?? [];
        if (remove) pins.remove(nodes, on().layer);
        else pins.add(nodes, on().layer);
      },
    });
  pinWithOutline(map, () => ({ scene, layer: store.current.layer }));
  pinWithOutline(byId<HTMLCanvasElement>("other-map"), () => ({
    scene: compare.scene,
    layer: store.current.beside.layer,
  }));
  watchPointer(map, {
    nodeAt: (x, y, reach) => scene?.nodeAt(x, y, reach) ?? null,
    regionAt: (x, y) => scene?.regionAt(x, y) ?? null,
    onRegion: (region) => regions.choose(region),
    onHover: (node) => store.update({ pointedAt: node }),
    onClick: (node) => selection.selectFirst(node),
    onDoubleClick: (node) => selection.selectFirst(node, { fly: true }),
  });
  watchPointer(byId<HTMLCanvasElement>("other-map"), {
    nodeAt: (x, y, reach) => compare.scene?.nodeAt(x, y, reach) ?? null,
    regionAt: (x, y) => compare.scene?.regionAt(x, y) ?? null,
    onRegion: (region) => compare.chooseRegion(region),
    onHover: (node) => compare.update({ pointedAt: node }),
    onClick: (node) => selection.selectBeside(node),
    onDoubleClick: (node) => selection.selectBeside(node, { fly: true }),
  });
  watchKeys({
    search: () => searchBox.focus(),
    regions: () => regions.tree.toggle(),
    back,
    stepLayer,
    flyToSelected: () => selection.fly(),
    home,
    toggleLabels,
    toggleLinks,
    toggleMap: () => navigation.showOtherMap(),
    toggleTheme: () => toggleTheme(store),
    togglePin: () => pins.toggleSelected(),
    pinAll: () => pins.pinAll(),
    togglePinPanel: () => pins.togglePanel(),
    export: () => exportDialog.open(),
    compare: () => compare.toggle(),
    nextColoring: () => store.update({ coloring: nextColoring(store) }),
    help,
    orbit: (right, up) => scene?.camera.orbit(right, up),
    pan: (right, up) => scene?.camera.pan(right, up),
    zoom: (factor) => scene?.camera.zoom(factor),
  });
  if (scene) scene.onRest = () => store.update({ camera: scene.camera.view() });
  byId("hint").hidden = recall("visited") !== null;
  remember("visited", "yes");
}
