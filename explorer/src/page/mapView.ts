/** A map follows the state: the layer, its colours and marks, the theme, and the space that the panels leave free. */
import { coloringOf } from "../colors";
import { type Layer, nearestNodes } from "../data/layer";
import { nodesIn } from "../data/regions";
import { similarities } from "../data/similarity";
import { display } from "../data/text";
import { originsOf } from "../data/tracks";
import type { MapScene } from "../scene/mapScene";
import type { Box } from "../scene/placement";
import { byId } from "../ui/dom";
import { LinkControl } from "../ui/linkControl";
import type { PageMap } from "./pageMap";
import type { Store } from "./state";

/** `page`: the state of the whole page, whose panels cover a part of the map. */
export function drawMap(map: PageMap, page: Store): void {
  const { store, scene, canvas } = map;
  if (!scene) return;
  followTheme(store, scene);
  followLayer(store, scene);
  store.follow(["colored"], ({ colored }) => colored && scene.setColors(colored.colors));
  store.follow(["linksVisible", "minCosine"], (state) => scene.setLinks(state.linksVisible, state.minCosine));
  store.follow(["labelsVisible"], ({ labelsVisible }) => scene.setLabelsVisible(labelsVisible));
  followMarks(store, scene);
  followPointer(map, scene);
  followPanels(page, scene, canvas);
}

function followLayer(store: Store, scene: MapScene): void {
  let before: Layer | null = null;
  store.follow(["layer"], ({ layer }) => {
    if (layer) scene.setLayer(layer, before && originsOf(before, layer));
    before = layer;
  });
}

/** Search results, the chosen region, pinned features and those linked to the selected one stand out. */
function followMarks(store: Store, scene: MapScene): void {
  store.follow(
    ["layer", "selected", "region", "hits", "coloring", "pinnedNodes", "alone", "shown"],
    (state) => {
      const { layer, selected, region, hits, coloring, pinnedNodes: pinned, alone, shown } = state;
      if (!layer) return;
      const { offset, neighbor } = layer.links;
      const linked = selected === null ? [] : [...neighbor.subarray(offset[selected], offset[selected + 1])];
      const similar =
        selected !== null && coloringOf(layer, coloring) === "similarity"
          ? similarNodes(layer, selected)
          : [];
      const near = selected === null ? [] : nearestNodes(layer, selected, 8);
      let others: number[] = [];
      if (hits !== null) others = hits.nodes.slice(0, hits.best);
      else if (region !== null) others = nodesIn(layer, region);
      else if (selected === null) others = alone ?? [];
      let dimming = pinned.length > 0 ? 0.4 : 0;
      if (selected !== null) dimming = 0.6;
      else if (hits !== null || region !== null || alone !== null) dimming = 0.82;
      scene.mark({
        lit: [...linked, ...similar, ...others, ...pinned],
        named: [...linked.slice(0, 14), ...near, ...others.slice(0, 24), ...pinned.slice(0, 24)],
        selected,
        pinned,
        shown,
        dimming,
      });
    },
  );
}

/** Those whose similarity to a node is known: their colours are to be seen. */
function similarNodes(layer: Layer, node: number): number[] {
  const cosines = similarities(layer, node);
  return [...cosines.keys()].filter((other) => !Number.isNaN(cosines[other]));
}

function followTheme(store: Store, scene: MapScene): void {
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

/** The feature under the pointer, or pointed at in a list: a ring and its label. */
function followPointer({ store, canvas, element }: PageMap, scene: MapScene): void {
  const tooltip = element.querySelector<HTMLElement>(".tooltip")!;
  store.follow(["layer", "pointedAt", "selected"], ({ layer, pointedAt: node, selected }) => {
    scene.setHovered(node);
    canvas.style.cursor = node === null ? "" : "pointer";
    const at = node === null ? null : scene.screenPosition(node);
    tooltip.hidden = !layer || at === null || node === selected;
    if (!layer || node === null || at === null) return;
    tooltip.textContent = display(layer.labels[node] ?? `no label (#${layer.index[node]})`, 120);
    // To the left of its point near the right edge.
    const shift = at.x > canvas.clientWidth - 300 ? "calc(-100% - 14px)" : "14px";
    tooltip.style.transform = `translate(${at.x.toFixed(0)}px, ${at.y.toFixed(0)}px) translate(${shift}, -50%)`;
  });
}

/** The control of the links that are drawn. */
export function followLinks({ store, scene }: PageMap): void {
  if (!scene) return;
  const control = new LinkControl({
    onCosine: (minCosine) => store.update({ minCosine, linksVisible: true }),
    onToggle: () => store.update({ linksVisible: !store.current.linksVisible }),
  });
  store.follow(["layer", "linksVisible", "minCosine", "shown"], (state) =>
    control.show(scene.linkOrder, state),
  );
}

function followPanels(store: Store, scene: MapScene, canvas: HTMLElement): void {
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
function covered(): Box {
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
function insets(canvas: HTMLElement): Box {
  const panels = covered();
  const { left, right, top, bottom } = canvas.getBoundingClientRect();
  return {
    left: Math.max(0, panels.left - left),
    right: Math.max(0, panels.right - (innerWidth - right)),
    top: Math.max(0, panels.top - top),
    bottom: Math.max(0, panels.bottom - (innerHeight - bottom)),
  };
}
