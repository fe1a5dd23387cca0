/** Lines from points of one map to points of the map beside it, drawn over both. */
import { h } from "../ui/dom";
import type { MapScene } from "./mapScene";

/** A node of each map, and the line's colour. */
export interface Join {
  left: number;
  right: number;
  color: string;
  /** CSS pixels. */
  width: number;
}

/** A map, and where it is on the page. */
interface Part {
  /** Null until there is one. */
  scene: MapScene | null;
  canvas: HTMLElement;
}

export class Joins {
  private readonly canvas = h("canvas", { id: "joins", "aria-hidden": "true" });
  private joins: Join[] = [];
  /** True if there is something to clear. */
  private drawn = false;

  constructor(
    private readonly stage: HTMLElement,
    private readonly left: Part,
    private readonly right: Part,
  ) {}

  /** The ones that matter most last: they are drawn over the others. */
  show(joins: Join[]): void {
    this.joins = joins;
    if (joins.length > 0 && !this.canvas.isConnected) this.stage.append(this.canvas);
    this.left.scene?.requestFrame();
  }

  /** Draws them where the points are now. */
  update(): void {
    if (this.joins.length === 0 && !this.drawn) return;
    this.drawn = this.joins.length > 0;
    const { clientWidth: width, clientHeight: height } = this.canvas;
    const ratio = Math.min(devicePixelRatio, 2);
    const context = this.canvas.getContext("2d")!;
    if (this.canvas.width !== Math.round(width * ratio)) this.canvas.width = Math.round(width * ratio);
    if (this.canvas.height !== Math.round(height * ratio)) this.canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    this.drawOnto(context);
  }

  /** In CSS pixels of the page. */
  drawOnto(context: CanvasRenderingContext2D): void {
    // Dashed: links are not.
    context.setLineDash([7, 4]);
    for (const { left, right, color, width } of this.joins) {
      const from = pointOf(this.left, left);
      const to = pointOf(this.right, right);
      if (!from || !to) continue;
      context.strokeStyle = color;
      context.lineWidth = width;
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.lineTo(to.x, to.y);
      context.stroke();
    }
    context.setLineDash([]);
  }
}

/** On the page; null if it is outside its map's picture. */
function pointOf({ scene, canvas }: Part, node: number): { x: number; y: number } | null {
  const at = scene?.screenPosition(node);
  const { left, top, width, height } = canvas.getBoundingClientRect();
  if (!at || at.x < 0 || at.y < 0 || at.x > width || at.y > height) return null;
  return { x: left + at.x, y: top + at.y };
}
