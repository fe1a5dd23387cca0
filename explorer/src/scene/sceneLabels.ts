/** The labels in the scene, in an element above the canvas: names in the middle of regions, labels beside points. */
import type { Layer } from "../data/layer";
import { regionsAround } from "../data/regions";
import { display, headline } from "../data/text";
import { saysLittle } from "./labelWords";
import type { Projection } from "./pick";
import { type Box, boxOf, placeLabels, project } from "./placement";
import { boxOfName, nameAt, placeNames } from "./regionNames";

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
  visible = true;
  private layer: Layer | null = null;
  private positions: Float32Array = new Float32Array();
  private order: Uint32Array = new Uint32Array();
  private isShown: (node: number) => boolean = () => true;
  /** Those with a node that is shown. */
  private shownRegions = new Set<number>();
  private wanted: number[] = [];
  private selected: number | null = null;
  /** The labels in the scene, by node: element, and side (1: right of the point, -1: left). */
  private readonly shown = new Map<number, { element: HTMLElement; side: number }>();
  /** The names in the scene, by region. */
  private readonly names = new Map<number, HTMLElement>();
  private readonly nameSizes = new Map<number, [number, number]>();
  private readonly nameBoxes = new Map<number, Box>();
  private readonly texts = new Map<number, string>();
  private readonly sizes = new Map<number, [number, number]>();
  private fontSize = SMALLEST_FONT;
  private readonly measure = document.createElement("canvas").getContext("2d")!;
  private readonly boxes = new Map<number, Box>();
  private radiusOf: (node: number) => number = () => 0;
  private chosenAt = -Infinity;

  constructor(
    private readonly host: HTMLElement,
    private readonly panels: () => Element[],
  ) {}

  /** `positions`: where the points are, now and whenever they move. */
  setLayer(layer: Layer, positions: Float32Array, radiusOf: (node: number) => number): void {
    this.layer = layer;
    this.positions = positions;
    this.radiusOf = radiusOf;
    this.shown.clear();
    this.texts.clear();
    this.sizes.clear();
    this.names.clear();
    this.nameSizes.clear();
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
    for (const [node, { element }] of this.shown) this.markWanted(node, element);
    for (const element of this.names.values()) element.classList.toggle("receding", this.wanted.length > 0);
    this.chosenAt = -Infinity;
  }

  /** The node whose label is at (x, y) on the screen, in CSS pixels, or null. */
  nodeAt(x: number, y: number): number | null {
    return keyAt(this.boxes, x, y);
  }

  /** The region whose name is there, or null. */
  regionAt(x: number, y: number): number | null {
    return keyAt(this.nameBoxes, x, y);
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
      this.choose(view, near);
      this.chosenAt = now;
    }
    this.boxes.clear();
    for (const [node, { element, side }] of this.shown) this.move(node, element, side, view, near);
    this.nameBoxes.clear();
    for (const [region, element] of this.names) this.moveName(region, element, view, near);
    return !due;
  }

  private choose(view: Projection, near: number): void {
    this.setFontSize(view);
    const area = view.width * view.height;
    // Sparser on larger screens: their labels are larger.
    const limit = Math.round(Math.min(area / 26_000, 28 + area / 90_000));
    const placed = placeLabels({
      positions: this.positions,
      radiusOf: this.radiusOf,
      order: this.visible ? this.order : [],
      view,
      near,
      wanted: this.wanted,
      shown: new Set(this.shown.keys()),
      taken: this.panels().map((panel) => boxOfElement(panel, this.host)),
      reserve: (taken) => this.chooseNames(view, near, taken, limit),
      saysLittle: (node) => saysLittle(this.layer!.labels[node]!),
      textOf: (node) => this.textOf(node),
      sizeOf: (node) => this.sizeOf(node),
      limit,
    });
    const chosen = new Set(placed.map((label) => label.node));
    for (const [node, { element }] of this.shown) {
      if (chosen.has(node)) continue;
      this.shown.delete(node);
      leave(element);
    }
    for (const { node, offset } of placed) {
      const element = this.shown.get(node)?.element ?? this.add(node);
      this.shown.set(node, { element, side: Math.sign(offset) });
    }
  }

  /** Returns the boxes of the names that are shown from now on. */
  private chooseNames(view: Projection, near: number, taken: Box[], limit: number): Box[] {
    const layer = this.layer!;
    const shown = new Set(this.names.keys());
    const sizeOf = (region: number) => this.nameSizeOf(region);
    const isShown = (region: number) => this.shownRegions.has(region);
    const placed = this.visible
      ? placeNames({ layer, view, near, shown, isShown, taken, sizeOf, limit })
      : [];
    const chosen = new Set(placed.map(({ region }) => region));
    for (const [region, element] of this.names) {
      if (chosen.has(region)) continue;
      this.names.delete(region);
      leave(element);
    }
    for (const region of chosen) {
      if (this.names.has(region)) continue;
      const element = this.addText(this.nameOf(region), `region-name level-${layer.regions[region]!.level}`);
      element.classList.toggle("receding", this.wanted.length > 0);
      this.names.set(region, element);
    }
    return placed.map((name) => boxOfName(name, sizeOf(name.region), 0));
  }

  private add(node: number): HTMLElement {
    const element = this.addText(this.textOf(node), "");
    this.markWanted(node, element);
    return element;
  }

  private addText(text: string, kind: string): HTMLElement {
    const element = document.createElement("span");
    element.className = `scene-label ${kind}`;
    element.dir = "auto";
    element.textContent = text;
    this.host.append(element);
    return element;
  }

  private markWanted(node: number, element: HTMLElement): void {
    element.classList.toggle("selected", node === this.selected);
    element.classList.toggle("wanted", this.wanted.includes(node));
    element.classList.toggle("receding", this.wanted.length > 0 && !this.wanted.includes(node));
  }

  private move(node: number, element: HTMLElement, side: number, view: Projection, near: number): void {
    const label = project({ positions: this.positions, view, radiusOf: this.radiusOf }, node);
    element.hidden = label === null;
    if (label === null) return;
    const box = boxOf({ ...label, offset: side * label.offset }, this.sizeOf(node), 0);
    this.boxes.set(node, box);
    moveTo(element, box.left, label.y);
    setNearness(element, label.depth / near);
  }

  private moveName(region: number, element: HTMLElement, view: Projection, near: number): void {
    const name = nameAt(this.layer!, region, view);
    element.hidden = name === null;
    if (name === null) return;
    const box = boxOfName(name, this.nameSizeOf(region), 0);
    this.nameBoxes.set(region, box);
    moveTo(element, box.left, name.y);
    setNearness(element, name.depth / near);
  }

  private nameSizeOf(region: number): [number, number] {
    let size = this.nameSizes.get(region);
    if (!size) {
      const { size: relative, weight } = NAMES[this.layer!.regions[region]!.level - 1]!;
      size = this.measured(this.nameOf(region), relative * this.fontSize, weight);
      this.nameSizes.set(region, size);
    }
    return size;
  }

  private nameOf(region: number): string {
    return display(this.layer!.regions[region]!.name!, 40);
  }

  private measured(text: string, size: number, weight: number): [number, number] {
    this.measure.font = `${weight} ${size}px "Inter Variable", system-ui, sans-serif`;
    return [this.measure.measureText(text).width, size * 1.3];
  }

  private sizeOf(node: number): [number, number] {
    let size = this.sizes.get(node);
    if (!size) {
      size = this.measured(this.textOf(node), this.fontSize, 500);
      this.sizes.set(node, size);
    }
    return size;
  }

  private textOf(node: number): string {
    let text = this.texts.get(node);
    if (text === undefined) {
      text = headline(this.layer!.labels[node]!, this.layer!.boilerplate);
      this.texts.set(node, text);
    }
    return text;
  }

  private setFontSize({ width, height }: Projection): void {
    const wanted = SMALLEST_FONT * Math.sqrt(Math.min(width, height) / 900);
    const size = Math.round(Math.min(LARGEST_FONT, Math.max(SMALLEST_FONT, wanted)));
    if (size === this.fontSize) return;
    this.fontSize = size;
    this.sizes.clear();
    this.nameSizes.clear();
    this.host.style.setProperty("--label-size", `${size}px`);
  }
}

function keyAt(boxes: Map<number, Box>, x: number, y: number): number | null {
  for (const [key, box] of boxes) {
    if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return key;
  }
  return null;
}

function moveTo(element: HTMLElement, left: number, middle: number): void {
  element.style.transform = `translate(${left.toFixed(1)}px, ${middle.toFixed(1)}px) translateY(-50%)`;
}

/** `depth`: in units of the eye's distance to its target. */
function setNearness(element: HTMLElement, depth: number): void {
  const distance = Math.min(1, Math.max(0, (depth - 0.5) / 1.6));
  element.style.setProperty("--nearness", (1 - 0.4 * distance).toFixed(2));
}

function leave(element: HTMLElement): void {
  element.classList.add("leaving");
  setTimeout(() => element.remove(), 200);
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
