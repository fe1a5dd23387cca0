/** The map follows the state: the layer, the marked features, the theme, and the space that the panels leave free. */
import { nearestNodes } from "../data/layer";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { freeSpace } from "./freeSpace";
import type { Store } from "./state";

export function followLayer(store: Store, scene: MapScene): void {
  store.follow(["layer"], ({ layer }) => {
    if (layer) scene.setLayer(layer);
  });
}

/** Search results and the features linked to the selected one stand out; all others are dimmed. */
export function followMarks(store: Store, scene: MapScene): void {
  store.follow(["layer", "selected", "hits"], ({ layer, selected, hits }) => {
    if (!layer) return;
    const matching = hits === null ? [] : hits.nodes.slice(0, hits.best);
    const { offset, neighbor } = layer.links;
    const linked = selected === null ? [] : [...neighbor.subarray(offset[selected], offset[selected + 1])];
    const near = selected === null ? [] : nearestNodes(layer, selected, 8);
    scene.mark({
      lit: [...linked, ...matching],
      named: [...linked.slice(0, 14), ...near, ...matching.slice(0, 24)],
      selected,
      dimming: selected !== null ? 0.6 : hits !== null ? 0.82 : 0,
    });
  });
}

export function followSceneTheme(store: Store, scene: MapScene): void {
  store.follow(["theme"], () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    scene.setTheme({ background: color("--map"), accent: color("--accent"), hover: color("--text") });
  });
}

export function followLabels(store: Store, scene: MapScene): void {
  store.follow(["labelsVisible"], ({ labelsVisible }) => {
    scene.setLabelsVisible(labelsVisible);
    byId("labels").setAttribute("aria-pressed", String(labelsVisible));
  });
}

/** The map's middle stays in the middle of the free space. */
export function followPanels(store: Store, scene: MapScene): void {
  const update = () => {
    const { left, top, right, bottom } = freeSpace();
    scene.camera.setInsets({ left, top, right: innerWidth - right, bottom: innerHeight - bottom });
  };
  store.follow(["layer", "selected"], update);
  window.addEventListener("resize", update);
}
