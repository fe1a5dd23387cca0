/** The way of a track through the frame: a line through its features in all layers, and a mark for each. */
import { type Color, Group } from "three";
import { RoundMarks } from "./marks";
import { WideLines } from "./wideLines";

/** CSS pixels. */
const MARK = 8;
const MARK_HERE = 13;
/** Share of the background in the colour at the first layer; none is left at the last. */
const PALE = 0.6;

export class Trail {
  readonly object = new Group();
  private readonly line = new WideLines(2.5, 4);
  /** Their size: CSS pixels. */
  private readonly marks = new RoundMarks({
    pixels: "size * pixelRatio",
    // A rim of the background sets the marks off from the points.
    color: "vec4(mix(background, tint, smoothstep(0.5, 1.5, fromEdge)), smoothstep(0.0, 1.0, fromEdge))",
  });

  constructor() {
    this.object.add(this.line.object, this.marks.object);
    this.marks.object.renderOrder = 5;
  }

  /** `stops`: x, y, z in each layer of the track, null where that is not known yet; `here`: the one that is shown. */
  show(stops: (number[] | null)[], here: number, color: Color, background: Color): void {
    const colorAt = (stop: number) =>
      color.clone().lerp(background, PALE * (1 - stop / Math.max(1, stops.length - 1)));
    this.line.show(
      stops.flatMap((to, stop) => {
        const from = stops[stop - 1];
        return from && to ? [{ ends: [...from, ...to], colors: [colorAt(stop - 1), colorAt(stop)] }] : [];
      }),
    );
    const known = stops.flatMap((position, stop) => (position ? [{ position, stop }] : []));
    this.object.visible = known.length > 1;
    this.marks.show(
      known.map(({ position, stop }) => ({
        position,
        size: stop === here ? MARK_HERE : MARK,
        color: stop === here ? color : colorAt(stop),
      })),
      background,
    );
  }

  setViewport(pixelsPerUnit: number, pixelRatio: number): void {
    this.marks.setViewport(pixelsPerUnit, pixelRatio);
  }
}
