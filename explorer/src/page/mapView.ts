/** The map follows the state: the layer, the marked features, the theme, and the space that the panels leave free. */
import { coloringOf } from "../colors";
import { type Layer, nearestNodes } from "../data/layer";
import { nodesIn } from "../data/regions";
import { similarities } from "../data/similarity";
import { originsOf } from "../data/tracks";
import type { Insets } from "../scene/camera";
import type { MapScene } from "../scene/mapScene";
import { byId } from "../ui/dom";
import { LinkControl } from "../ui/linkControl";
import type { Store } from "./state";

export function followLayer(store: Store, scene: MapScene): void {
  let before: Layer | null = null;
  store.follow(["layer"], ({ layer }) => {
    if (layer) scene.setLayer(layer, before && originsOf(before, layer));
    before = layer;
  });
}

/** Search results, the chosen region, pinned features and those linked to the selected one stand out. */
export function followMarks(store: Store, scene: MapScene): void {
  store.follow(["layer", "selected", "region", "hits", "coloring", "pinnedNodes", "alone"], (state) => {
    const { layer, selected, region, hits, coloring, pinnedNodes: pinned, alone } = state;
    if (!layer) return;
    if (region !== null && hits === null) {
      const lit = nodesIn(layer, region);
      return scene.mark({ lit, named: lit.slice(0, 24), selected: null, pinned, dimming: 0.82 });
    }
    if (alone !== null && selected === null && hits === null) {
      const named = [...pinned.slice(0, 24), ...alone.slice(0, 24)];
      return scene.mark({ lit: [...alone, ...pinned], named, selected, pinned, dimming: 0.82 });
    }
    const matching = hits === null ? [] : hits.nodes.slice(0, hits.best);
    const { offset, neighbor } = layer.links;
    const linked = selected === null ? [] : [...neighbor.subarray(offset[selected], offset[selected + 1])];
    const similar =
      selected !== null && coloringOf(layer, coloring) === "similarity" ? similarNodes(layer, selected) : [];
    const near = selected === null ? [] : nearestNodes(layer, selected, 8);
    scene.mark({
      lit: [...linked, ...similar, ...matching, ...pinned],
      named: [...linked.slice(0, 14), ...near, ...matching.slice(0, 24), ...pinned.slice(0, 24)],
      selected,
      pinned,
      dimming: selected !== null ? 0.6 : hits !== null ? 0.82 : pinned.length > 0 ? 0.4 : 0,
    });
  });
}

/** Those whose similarity to a node is known: their colours are to be seen. */
function similarNodes(layer: Layer, node: number): number[] {
  const cosines = similarities(layer, node);
  return [...cosines.keys()].filter((other) => !Number.isNaN(cosines[other]));
}

export function followSceneTheme(store: Store, scene: MapScene): void {
  store.follow(["theme"], () => {
    const style = getComputedStyle(document.documentElement);
    const color = (name: string) => style.getPropertyValue(name).trim();
    scene.setTheme({
      background: color("--map"),
      accent: color("--accent"),
      hover: color("--text"),
      trail: color("--link"),
      pin: color("--pin"),
    });
  });
}

export function followLabels(store: Store, scene: MapScene): void {
  store.follow(["labelsVisible"], ({ labelsVisible }) => {
    scene.setLabelsVisible(labelsVisible);
    byId("labels").setAttribute("aria-pressed", String(labelsVisible));
  });
}

export function followLinks(store: Store, scene: MapScene): void {
  const control = new LinkControl({
    onCosine: (minCosine) => store.update({ minCosine, linksVisible: true }),
    onToggle: () => store.update({ linksVisible: !store.current.linksVisible }),
  });
  store.follow(["layer", "linksVisible", "minCosine", "shown"], (state) => {
    scene.setLinks(state.linksVisible, state.minCosine);
    control.show(scene.linkOrder, state);
  });
}

export function followPanels(store: Store, scene: MapScene, canvas: HTMLElement): void {
  const set = () => scene.camera.setInsets(insets(canvas));
  store.follow(["layer", "selected", "followed", "region", "compared", "inBeside"], set);
  window.addEventListener("resize", set);
  // Labels give way to a panel that grows, and the picture to one that opens.
  const sizes = new ResizeObserver((entries) => {
    scene.requestFrame();
    if (entries.some(({ target }) => target === canvas || target.matches(".reading"))) set();
    if (entries.some(({ target }) => target === canvas)) scene.camera.stayHome();
  });
  sizes.observe(canvas);
  for (const panel of document.querySelectorAll(".panel")) sizes.observe(panel);
}

/** What they cover of the window. */
function covered(): Insets {
  const find = byId("find").getBoundingClientRect();
  // Of these, one at most is not hidden, and empty.
  const aside = ["feature", "region", "comparison"].map((id) => byId(id).getBoundingClientRect());
  const reading = aside.find(({ width }) => width > 0);
  const gap = 16;
  if (find.width > 0.6 * innerWidth) {
    const below = reading?.height || byId("legend-panel").getBoundingClientRect().height;
    return { left: 0, right: 0, top: find.bottom, bottom: below + gap };
  }
  return { left: find.right, right: reading ? reading.width + gap : 0, top: 0, bottom: 0 };
}

/** What the panels cover of a map: columns at the sides, or above and below on a phone. */
function insets(canvas: HTMLElement): Insets {
  const panels = covered();
  const { left, right, top, bottom } = canvas.getBoundingClientRect();
  return {
    left: Math.max(0, panels.left - left),
    right: Math.max(0, panels.right - (innerWidth - right)),
    top: Math.max(0, panels.top - top),
    bottom: Math.max(0, panels.bottom - (innerHeight - bottom)),
  };
}
