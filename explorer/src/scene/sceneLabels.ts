/** The labels in the scene, in an element above the canvas: names in the middle of regions, labels beside points. */
import type { Layer } from "../data/layer";
import { regionsAround } from "../data/regions";
import { display, headline } from "../data/text";
import { saysLittle } from "./labelWords";
import type { Discs, Projection } from "./pick";
import { type Box, boxOf, placeLabels } from "./placement";
import { placeNames } from "./regionNames";
import { Texts } from "./texts";

/** Milliseconds between two choices of labels while the camera moves. */
const CHOOSE_EVERY = 140;
/** CSS pixels. Small labels look lost on a large screen. */
const SMALLEST_FONT = 12;
const LARGEST_FONT = 16;
/** The names of regions, by level: their size in units of the labels', and their weight. */
const NAMES = [
  { size: 1.5, weight: 700 },
  { size: 1.25, weight: 650 },
  { size: 1.12, weight: 650 },
];

export class SceneLabels {
  private visible = true;
  private layer: Layer | null = null;
  private points: Discs = { positions: new Float32Array(), radiusOf: () => 0 };
  private order: Uint32Array = new Uint32Array();
  private isShown: (node: number) => boolean = () => true;
  /** Those with a node that is shown. */
  private shownRegions = new Set<number>();
  private wanted: number[] = [];
  private selected: number | null = null;
  /** By node. */
  private readonly labels: Texts;
  /** By region. */
  private readonly names: Texts;
  private fontSize = 0;
  private chosenAt = -Infinity;

  constructor(
    private readonly host: HTMLElement,
    private readonly panels: () => Element[],
  ) {
    this.labels = new Texts(host, (node) => {
      const { labels, boilerplate } = this.layer!;
      return { text: headline(labels[node]!, boilerplate), kind: "", size: 1, weight: 500 };
    });
    this.names = new Texts(host, (region) => {
      const { name, level } = this.layer!.regions[region]!;
      return { text: display(name!, 40), kind: `region-name level-${level}`, ...NAMES[level - 1]! };
    });
  }

  /** `points`: where they are, now and whenever they move. */
  setLayer(layer: Layer, points: Discs): void {
    this.layer = layer;
    this.points = points;
    this.labels.clear();
    this.names.clear();
    this.host.replaceChildren();
    this.setFilter(() => true);
    this.setWanted([], null);
  }

  /** Labels of these nodes only, and names of the regions around them. */
  setFilter(isShown: (node: number) => boolean): void {
    const { labels, prominence } = this.layer!;
    this.isShown = isShown;
    this.order = prominence.filter((node) => labels[node] !== null && isShown(node));
    this.shownRegions = regionsAround(this.layer!, isShown);
  }

  /** Labels to show before all others: the selected feature's, then those of its links or of the search results. */
  setWanted(nodes: number[], selected: number | null): void {
    this.wanted = nodes.filter((node) => this.layer?.labels[node] != null && this.isShown(node));
    this.selected = selected;
    this.markWanted();
    this.chosenAt = -Infinity;
  }

  /** The node whose label is at (x, y) on the screen, in CSS pixels, or null. */
  nodeAt(x: number, y: number): number | null {
    return this.labels.keyAt(x, y);
  }

  /** The region whose name is there, or null. */
  regionAt(x: number, y: number): number | null {
    return this.names.keyAt(x, y);
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.chosenAt = -Infinity;
  }

  /** Moves the labels to their points, and now and then chooses which to show. Returns true if a choice is still due. */
  update(view: Projection, near: number, now: number): boolean {
    if (this.layer === null) return false;
    const due = now - this.chosenAt >= CHOOSE_EVERY;
    if (due) {
      this.choose(this.layer, view, near);
      this.chosenAt = now;
    }
    this.labels.move(this.points, view, near);
    this.names.move({ positions: this.layer.areas.center, radiusOf: null }, view, near);
    return !due;
  }

  private choose(layer: Layer, view: Projection, near: number): void {
    const { labels, names, points, visible } = this;
    this.setFontSize(view);
    const area = view.width * view.height;
    // Sparser on larger screens: their labels are larger.
    const limit = Math.round(Math.min(area / 26_000, 28 + area / 90_000));
    const chooseNames = (taken: Box[]): Box[] => {
      const shown = new Set(names.shown.keys());
      const isShown = (region: number) => this.shownRegions.has(region);
      const { sizeOf } = names;
      const placed = visible ? placeNames({ layer, view, near, shown, isShown, taken, sizeOf, limit }) : [];
      names.show(placed);
      return placed.map((name) => boxOf(name, sizeOf(name.key), 0));
    };
    labels.show(
      placeLabels({
        points,
        order: visible ? this.order : [],
        view,
        near,
        wanted: this.wanted,
        shown: new Set(labels.shown.keys()),
        taken: this.panels().map((panel) => boxOfElement(panel, this.host)),
        reserve: chooseNames,
        saysLittle: (node) => saysLittle(layer.labels[node]!),
        textOf: labels.textOf,
        sizeOf: labels.sizeOf,
        limit,
      }),
    );
    this.markWanted();
  }

  private markWanted(): void {
    const wanted = new Set(this.wanted);
    for (const [node, { element }] of this.labels.shown) {
      element.classList.toggle("selected", node === this.selected);
      element.classList.toggle("wanted", wanted.has(node));
      element.classList.toggle("receding", wanted.size > 0 && !wanted.has(node));
    }
    for (const { element } of this.names.shown.values()) {
      element.classList.toggle("receding", wanted.size > 0);
    }
  }

  private setFontSize({ width, height }: Projection): void {
    const wanted = SMALLEST_FONT * Math.sqrt(Math.min(width, height) / 900);
    const size = Math.round(Math.min(LARGEST_FONT, Math.max(SMALLEST_FONT, wanted)));
    if (size === this.fontSize) return;
    this.fontSize = size;
    this.labels.setFontSize(size);
    this.names.setFontSize(size);
    this.host.style.setProperty("--label-size", `${size}px`);
  }
}

/** Within `host`. */
function boxOfElement(element: Element, host: Element): Box {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const from = host.getBoundingClientRect();
  return {
    left: left - from.left,
    top: top - from.top,
    right: right - from.left,
    bottom: bottom - from.top,
  };
}
