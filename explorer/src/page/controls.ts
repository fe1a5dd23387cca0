/** Buttons, selectors, keys and pointer: what each of them does. */
import type { Coloring } from "../colors";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { acceptFiles } from "../ui/fileDrop";
import { watchKeys } from "../ui/keys";
import { hideMessage } from "../ui/notices";
import { watchPointer } from "../ui/pointer";
import type { SearchBox } from "../ui/searchBox";
import type { Address } from "./address";
import { nextColoring } from "./coloring";
import type { Layers } from "./layers";
import type { Preview } from "./preview";
import type { Selection } from "./selection";
import type { Store } from "./state";
import { toggleTheme } from "./theme";
import type { ViewState } from "./urlState";

export interface Page {
  store: Store;
  /** Null without WebGL. */
  scene: MapScene | null;
  layers: Layers;
  selection: Selection;
  preview: Preview;
  searchBox: SearchBox;
  address: Address;
  open(view: ViewState): Promise<void>;
}

export function wireControls(page: Page): void {
  const { store, scene, layers, selection, preview, searchBox, address } = page;

  const showPublished = async (number: number | null) => {
    if (number !== null && (await layers.showPublished(number))) address.remember();
  };
  const stepLayer = (by: number) => void showPublished(layers.neighbor(by));
  const home = () => scene?.camera.flyHome();
  const toggleLabels = () => store.update({ labelsVisible: !store.current.labelsVisible });
  const toggleLinks = () => store.update({ linksVisible: !store.current.linksVisible });
  const color = (coloring: Coloring) => {
    store.update({ coloring });
    address.remember();
  };
  const help = () => {
    byId("renderer").textContent = scene ? `Drawn by ${scene.rendererName}` : "";
    byId<HTMLDialogElement>("help-dialog").showModal();
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
  byId("message").querySelector("button")!.addEventListener("click", hideMessage);

  const onChoice = (id: string, action: (value: string) => void) => {
    const select = byId<HTMLSelectElement>(id);
    select.addEventListener("change", () => action(select.value));
  };
  onChoice("model", (model) => void page.open({ model }));
  onChoice("layer", () => void showPublished(layers.chosen));
  onChoice("coloring", (value) => color(value as Coloring));
  acceptFiles((file) => void layers.showFile(file));

  watchPointer(byId<HTMLCanvasElement>("map"), {
    nodeAt: (x, y, reach) => scene?.nodeAt(x, y, reach) ?? null,
    onHover: (node) => preview.show(node),
    onClick: (node) => selection.select(node),
    onDoubleClick: (node) => selection.select(node, { fly: true }),
  });
  watchKeys({
    search: () => searchBox.focus(),
    escape: () => {
      if (store.current.selected !== null) selection.select(null);
      else searchBox.clear();
    },
    stepLayer,
    flyToSelected: () => selection.fly(),
    home,
    toggleLabels,
    toggleLinks,
    toggleTheme: () => toggleTheme(store),
    nextColoring: () => color(nextColoring(store)),
    help,
    orbit: (right, up) => scene?.camera.orbit(right, up),
    pan: (right, up) => scene?.camera.pan(right, up),
    zoom: (factor) => scene?.camera.zoom(factor),
  });
  if (scene) scene.onRest = () => address.remember();
}
