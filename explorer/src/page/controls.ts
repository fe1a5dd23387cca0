/** Buttons, selectors, keys and pointer: what each of them does. */
import type { Coloring } from "../colors";
import type { Layer } from "../data/layer";
import type { Frames } from "../scene/frames";
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
import type { PageMap } from "./pageMap";
import type { Pins } from "./pins";
import type { RegionChoice } from "./regions";
import type { Selection } from "./selection";
import type { State } from "./state";
import { toggleTheme } from "./theme";

export interface Page {
  first: PageMap;
  second: PageMap;
  frames: Frames;
  navigation: Navigation;
  selection: Selection;
  regions: RegionChoice;
  searchBox: SearchBox;
  pins: Pins;
  exportDialog: ExportDialog;
  compare: Compare;
}

export function wireControls(page: Page): void {
  const { first, second, frames, navigation, selection, regions, searchBox, pins, exportDialog, compare } =
    page;
  const { store, scene } = first;
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
    if (beside.region !== null) return second.store.update({ region: null });
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
  store.follow(["labelsVisible"], ({ labelsVisible }) => {
    byId("labels").setAttribute("aria-pressed", String(labelsVisible));
  });

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

  watchRows((node, row) => pins.toggle(node, layerOf(row, store.current)));
  for (const map of [first, second]) {
    const layer = () => map.store.current.layer;
    const nodeAt = (x: number, y: number, reach: number) => map.scene?.nodeAt(x, y, reach) ?? null;
    watchOutline(map.canvas, {
      drawing: () => store.current.drawing,
      onStart: () => store.update({ pointedAt: null }),
      onPoint: (x, y, reach) => {
        const node = nodeAt(x, y, reach);
        if (node !== null) pins.toggle(node, layer());
      },
      onOutline: (outline, remove) => {
        const nodes = map.scene?.nodesWithin(outline) ?? [];
        if (remove) pins.remove(nodes, layer());
        else pins.add(nodes, layer());
      },
    });
    watchPointer(map.canvas, {
      nodeAt,
      regionAt: (x, y) => map.scene?.regionAt(x, y) ?? null,
      onRegion: (region) => regions.choose(region, map),
      onHover: (node) => map.store.update({ pointedAt: node }),
      onClick: (node) => selection.select(node, { on: map }),
      onDoubleClick: (node) => selection.select(node, { on: map, fly: true }),
    });
  }
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
  if (scene) frames.onRest = () => store.update({ camera: scene.camera.view() });
  byId("hint").hidden = recall("visited") !== null;
  remember("visited", "yes");
}

/** Of the map to which a row of a list leads. */
function layerOf(row: Element, { layer, beside, inBeside }: State): Layer | null {
  const map = row.closest<HTMLElement>("[data-map]")?.dataset.map;
  const isBeside = map ? map === "beside" : inBeside && row.closest("#feature") !== null;
  return isBeside ? beside.layer : layer;
}
