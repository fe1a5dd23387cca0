/** Rings around the selected feature, the pinned ones, and the one under the pointer. */
import { RoundMarks } from "./marks";
import { LARGEST } from "./points";

/** Around discs, whose radius in map units is the size of the mark. */
export function rings(): RoundMarks {
  const marks = new RoundMarks({
    // As large as the disc (points.ts), and a gap and a line beyond.
    pixels: `1.0 / (depth / (3.0 * size * pixelsPerUnit) + 1.0 / (${LARGEST}.0 * pixelRatio)) + 11.0 * pixelRatio`,
    color: `vec4(
      tint,
      smoothstep(0.0, pixelRatio, fromEdge) * (1.0 - smoothstep(2.0 * pixelRatio, 3.0 * pixelRatio, fromEdge))
    )`,
  });
  marks.object.renderOrder = 3;
  return marks;
}
