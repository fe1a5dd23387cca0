/** A range of what the colours show: drawn on a histogram above their scale, or set by a slider for either end. */
import { barsOfRange, describeRange, type Range, rangeOfBars } from "../data/filter";
import { type Axis, type Quantity, SCALES } from "../data/quantities";
import { bars, h, svg } from "./dom";

export interface Histogram {
  quantity: Quantity;
  axis: Axis;
}

export interface BrushEvents {
  /** Null: all of it. */
  onRange(quantity: Quantity, range: Range | null): void;
}

export class Brush {
  private readonly all = svg("path", {});
  private readonly within = svg("path", { class: "within" });
  private readonly bars = svg(
    "svg",
    { preserveAspectRatio: "none", "aria-hidden": "true" },
    this.all,
    this.within,
  );
  private readonly scale = h("div");
  private readonly sliders = [slider("lowest"), slider("highest")] as const;
  readonly element = h("div", { class: "brush", role: "group" }, this.bars, this.scale, ...this.sliders);
  private shown: Histogram | null = null;
  /** The bar where the pointer went down. */
  private start: number | null = null;

  constructor(private readonly events: BrushEvents) {
    const [low, high] = this.sliders;
    // Neither passes the other.
    low.addEventListener("input", () =>
      this.choose(Math.min(low.valueAsNumber, high.valueAsNumber - 1), high.valueAsNumber),
    );
    high.addEventListener("input", () =>
      this.choose(low.valueAsNumber, Math.max(high.valueAsNumber, low.valueAsNumber + 1)),
    );
    this.bars.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      this.bars.setPointerCapture(event.pointerId);
      this.start = this.barAt(event);
    });
    this.bars.addEventListener("pointermove", (event) => {
      if (this.start === null) return;
      const at = this.barAt(event);
      this.choose(Math.min(this.start, at), Math.max(this.start, at) + 1);
    });
    this.bars.addEventListener("lostpointercapture", () => {
      this.start = null;
    });
    this.bars.addEventListener("dblclick", () => this.choose(0, this.count));
  }

  /** `scale`: the colours, which end where the bars do. */
  setHistogram(histogram: Histogram, scale: HTMLElement): void {
    this.shown = histogram;
    const { counts } = histogram.axis;
    this.scale.replaceChildren(scale);
    this.element.setAttribute("aria-label", `Filter: ${SCALES[histogram.quantity].title}`);
    this.bars.setAttribute("viewBox", `0 0 ${counts.length} 1`);
    this.all.setAttribute("d", this.drawing(0, counts.length));
    for (const input of this.sliders) input.max = String(counts.length);
  }

  /** `summary`: how many features are shown, for screen readers. */
  show(range: Range | null, summary: string): void {
    if (this.shown === null) return;
    const { quantity, axis } = this.shown;
    const ends = barsOfRange(axis, SCALES[quantity].whole, range);
    const text = `${describeRange(quantity, range)}, ${summary}`;
    this.sliders.forEach((input, side) => {
      input.value = String(ends[side]);
      input.setAttribute("aria-valuetext", text);
    });
    this.within.setAttribute("d", this.drawing(...ends));
  }

  private get count(): number {
    return this.shown?.axis.counts.length ?? 0;
  }

  private choose(first: number, end: number): void {
    if (this.shown === null) return;
    const { quantity, axis } = this.shown;
    this.events.onRange(quantity, rangeOfBars(axis, SCALES[quantity].whole, first, end));
  }

  private barAt(event: PointerEvent): number {
    const { left, width } = this.bars.getBoundingClientRect();
    const bar = Math.floor(((event.clientX - left) / width) * this.count);
    return Math.min(this.count - 1, Math.max(0, bar));
  }

  private drawing(first: number, end: number): string {
    return bars(this.shown!.axis.counts).slice(first, end).join("");
  }
}

function slider(end: string): HTMLInputElement {
  const input = h("input", {
    type: "range",
    "aria-label": `${end === "lowest" ? "Lowest" : "Highest"} value shown`,
  });
  input.min = "0";
  return input;
}
