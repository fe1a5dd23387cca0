/** Keys of the whole page and of the map. */
import { byId } from "./dom";

/** What keys do on the whole page. */
const KEYS = {
  "/": "search",
  g: "regions",
  f: "flyToSelected",
  r: "home",
  l: "toggleLabels",
  k: "toggleLinks",
  // Between the frame of all layers and the layer's own map.
  m: "toggleMap",
  t: "toggleTheme",
  c: "nextColoring",
  // The feature pointed at, else the selected one.
  p: "togglePin",
  // What the search finds, or the chosen region.
  a: "pinAll",
  s: "togglePinPanel",
  e: "export",
  // With another layer beside the one shown, or no longer.
  b: "compare",
  "?": "help",
} as const;

export interface KeyActions extends Record<(typeof KEYS)[keyof typeof KEYS], () => void> {
  /** Undoes one thing: the shape to draw, the selection, then the search. */
  back(): void;
  stepLayer(by: number): void;
  orbit(right: number, up: number): void;
  pan(right: number, up: number): void;
  zoom(factor: number): void;
}

const ARROWS: Record<string, [number, number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

export function watchKeys(actions: KeyActions): void {
  const anywhere: Record<string, () => void> = {
    ...Object.fromEntries(Object.entries(KEYS).map(([key, name]) => [key, actions[name]])),
    "[": () => actions.stepLayer(-1),
    "]": () => actions.stepLayer(1),
    "+": () => actions.zoom(0.75),
    "=": () => actions.zoom(0.75),
    "-": () => actions.zoom(1 / 0.75),
  };
  window.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") {
      // The browser would clear the search field at once.
      event.preventDefault();
      return actions.back();
    }
    // Selectors give up choosing an entry by its first letters, so that keys work after a choice.
    if ((event.target as HTMLElement).closest("input:not([type=range], [type=checkbox])")) return;
    const action = anywhere[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  const onArrow = (event: KeyboardEvent) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [right, up] = arrow;
    if (event.shiftKey) actions.pan(0.1 * right, 0.1 * up);
    else actions.orbit(0.2 * right, 0.2 * up);
  };
  for (const map of ["map", "other-map"]) byId(map).addEventListener("keydown", onArrow);
}
