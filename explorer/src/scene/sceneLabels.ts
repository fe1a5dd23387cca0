/** The labels in the scene: text beside points, in an element above the canvas. */
import type { Layer } from "../data/layer";
import { headline } from "../data/text";
import { saysLittle } from "./labelWords";
import type { Projection } from "./pick";
import { type Box, boxOf, placeLabels, project } from "./placement";

/** Milliseconds between two choices of labels while the camera moves. */
const CHOOSE_EVERY = 140;
/** CSS pixels. Small labels look lost on a large screen. */
const SMALLEST_FONT = 12;
const LARGEST_FONT = 16;

export class SceneLabels {
  visible = true;
  private layer: Layer | null = null;
  private positions: Float32Array = new Float32Array();
  private order: Uint32Array = new Uint32Array();
  private wanted: number[] = [];
  private selected: number | null = null;
  /** The labels in the scene, by node: element, and side (1: right of the point, -1: left). */
  private readonly shown = new Map<number, { element: HTMLElement; side: number }>();
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
    this.order = layer.prominence.filter((node) => layer.labels[node] !== null);
    this.shown.clear();
    this.texts.clear();
    this.sizes.clear();
    this.host.replaceChildren();
    this.setWanted([], null);
  }

  /** Labels to show before all others: the selected feature's, then those of its links or of the search results. */
  setWanted(nodes: number[], selected: number | null): void {
    this.wanted = nodes.filter((node) => this.layer?.labels[node] != null);
    this.selected = selected;
    for (const [node, { element }] of this.shown) this.markWanted(node, element);
    this.chosenAt = -Infinity;
  }

  /** The node whose label is at (x, y) on the screen, in CSS pixels, or null. */
  nodeAt(x: number, y: number): number | null {
    for (const [node, box] of this.boxes) {
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return node;
    }
    return null;
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
    return !due;
  }

  private choose(view: Projection, near: number): void {
    this.setFontSize(view);
    const area = view.width * view.height;
    const placed = placeLabels({
      positions: this.positions,
      radiusOf: this.radiusOf,
      order: this.visible ? this.order : [],
      view,
      near,
      wanted: this.wanted,
      shown: new Set(this.shown.keys()),
      taken: this.panels().map(boxOfElement),
      saysLittle: (node) => saysLittle(this.layer!.labels[node]!),
      textOf: (node) => this.textOf(node),
      sizeOf: (node) => this.sizeOf(node),
      // Sparser on larger screens: their labels are larger.
      limit: Math.round(Math.min(area / 26_000, 28 + area / 90_000)),
    });
    const chosen = new Set(placed.map((label) => label.node));
    for (const [node, { element }] of this.shown) {
      if (chosen.has(node)) continue;
      this.shown.delete(node);
      element.classList.add("leaving");
      setTimeout(() => element.remove(), 200);
    }
    for (const { node, offset } of placed) {
      const element = this.shown.get(node)?.element ?? this.add(node);
      this.shown.set(node, { element, side: Math.sign(offset) });
    }
  }

  private add(node: number): HTMLElement {
    const element = document.createElement("span");
    element.className = "scene-label";
    element.dir = "auto";
    element.textContent = this.textOf(node);
    this.markWanted(node, element);
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
    element.style.transform = `translate(${box.left.toFixed(1)}px, ${label.y.toFixed(1)}px) translateY(-50%)`;
    const distance = Math.min(1, Math.max(0, (label.depth / near - 0.5) / 1.6));
    element.style.setProperty("--nearness", (1 - 0.4 * distance).toFixed(2));
  }

  private sizeOf(node: number): [number, number] {
    let size = this.sizes.get(node);
    if (!size) {
      this.measure.font = `500 ${this.fontSize}px "Inter Variable", system-ui, sans-serif`;
      size = [this.measure.measureText(this.textOf(node)).width, this.fontSize * 1.3];
      this.sizes.set(node, size);
    }
    return size;
  }

  private textOf(node: number): string {
    let text = this.texts.get(node);
    if (text === undefined) {
      text = headline(this.layer!.labels[node]!);
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
    this.host.style.setProperty("--label-size", `${size}px`);
  }
}

function boxOfElement(element: Element): Box {
  const { left, top, right, bottom } = element.getBoundingClientRect();
  return { left, top, right, bottom };
}
