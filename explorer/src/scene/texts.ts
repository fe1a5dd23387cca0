/** Texts of one kind in the scene, above the canvas: each an element that follows its point. */
import { h } from "../ui/dom";
import type { Projection } from "./pick";
import { type Anchors, type Box, boxOf, type Placed, project } from "./placement";

export interface Style {
  text: string;
  /** Classes beside that of all texts. */
  kind: string;
  /** In units of the labels' font size. */
  size: number;
  weight: number;
}

export class Texts {
  /** In the scene, by node or region; side 1: right of its point, -1: left, 0: over it. */
  readonly shown = new Map<number, { element: HTMLElement; side: number }>();
  private readonly boxes = new Map<number, Box>();
  private readonly styles = new Map<number, Style>();
  private readonly sizes = new Map<number, [number, number]>();
  private readonly measure = document.createElement("canvas").getContext("2d")!;
  private fontSize = 0;

  constructor(
    private readonly host: HTMLElement,
    private readonly describe: (key: number) => Style,
  ) {}

  /** Forgets all of another layer. */
  clear(): void {
    for (const known of [this.shown, this.boxes, this.styles, this.sizes]) known.clear();
  }

  /** CSS pixels. */
  setFontSize(size: number): void {
    this.fontSize = size;
    this.sizes.clear();
  }

  /** The key of the text at (x, y), in CSS pixels, or null. */
  keyAt(x: number, y: number): number | null {
    for (const [key, box] of this.boxes) {
      if (x >= box.left && x <= box.right && y >= box.top && y <= box.bottom) return key;
    }
    return null;
  }

  readonly textOf = (key: number): string => this.styleOf(key).text;

  /** Width and height in CSS pixels. */
  readonly sizeOf = (key: number): [number, number] => {
    let size = this.sizes.get(key);
    if (!size) {
      const { text, size: relative, weight } = this.styleOf(key);
      const pixels = relative * this.fontSize;
      this.measure.font = `${weight} ${pixels}px "Inter Variable", system-ui, sans-serif`;
      size = [this.measure.measureText(text).width, pixels * 1.3];
      this.sizes.set(key, size);
    }
    return size;
  };

  /** Shows these and no others. */
  show(placed: Placed[]): void {
    const chosen = new Set(placed.map(({ key }) => key));
    for (const [key, { element }] of this.shown) {
      if (chosen.has(key)) continue;
      this.shown.delete(key);
      element.classList.add("leaving");
      setTimeout(() => element.remove(), element.hidden ? 0 : 200);
    }
    for (const { key, offset } of placed) {
      const element = this.shown.get(key)?.element ?? this.add(key);
      this.shown.set(key, { element, side: Math.sign(offset ?? 0) });
    }
  }

  /** Moves them to where their points are now. `near`: the eye's distance to its target. */
  move(anchors: Anchors, view: Projection, near: number): void {
    this.boxes.clear();
    for (const [key, { element, side }] of this.shown) {
      const at = project(anchors, view, key);
      element.hidden = at === null;
      if (at === null) continue;
      const box = boxOf({ ...at, offset: at.offset && side * at.offset }, this.sizeOf(key), 0);
      this.boxes.set(key, box);
      element.style.transform = `translate(${box.left.toFixed(1)}px, ${at.y.toFixed(1)}px) translateY(-50%)`;
      const distance = Math.min(1, Math.max(0, (at.depth / near - 0.5) / 1.6));
      element.style.setProperty("--nearness", (1 - 0.4 * distance).toFixed(2));
    }
  }

  private styleOf(key: number): Style {
    const style = this.styles.get(key) ?? this.describe(key);
    this.styles.set(key, style);
    return style;
  }

  private add(key: number): HTMLElement {
    const { text, kind } = this.styleOf(key);
    const element = h("span", { class: `scene-label ${kind}`, dir: "auto" }, text);
    this.host.append(element);
    return element;
  }
}
