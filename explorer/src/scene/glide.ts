/** Points on their way from one map to another, by time. */

/** Milliseconds. */
const DURATION = 600;

export class Glide {
  /** (3 * count,) where the points are; changed by `step`. */
  readonly positions: Float32Array;
  /** 0 at the beginning, 1 at the end. */
  share = 0;
  private started: number | null = null;

  /** `start`: 0..1 by point, how visible each is at first; `end`: how visible all are in the end. */
  constructor(
    readonly from: Float32Array,
    readonly to: Float32Array,
    readonly start: Float32Array,
    readonly end: 0 | 1,
  ) {
    this.positions = from.slice();
  }

  /**
   * Points that arrive on a new map: each from where its origin is, or where it will be, fading in.
   * `origins`: by point, the point of the map before that it comes from; -1 if none.
   */
  static arriving(
    origins: Int32Array,
    before: { positions: Float32Array; glide: Glide | null },
    to: Float32Array,
  ) {
    const from = to.slice();
    const start = new Float32Array(origins.length);
    origins.forEach((origin, point) => {
      if (origin < 0) return;
      from.set(before.positions.subarray(3 * origin, 3 * origin + 3), 3 * point);
      start[point] = before.glide?.visibility(origin) ?? 1;
    });
    return new Glide(from, to, start, 1);
  }

  /** The points of the map before that nothing comes from: they fade out where they are. */
  static leaving(origins: Int32Array, before: { positions: Float32Array; glide: Glide | null }) {
    const start = Float32Array.from(
      { length: before.positions.length / 3 },
      (_, point) => before.glide?.visibility(point) ?? 1,
    );
    for (const origin of origins) if (origin >= 0) start[origin] = 0;
    const where = before.positions.slice();
    return new Glide(where, where, start, 0);
  }

  /** Moves the points to where they are at `now` (milliseconds). Returns false once they have arrived. */
  step(now: number): boolean {
    this.started ??= now;
    const share = Math.min(1, (now - this.started) / DURATION);
    this.share = share * share * (3 - 2 * share);
    const { from, to, positions } = this;
    for (let at = 0; at < positions.length; at++)
      positions[at] = from[at]! + this.share * (to[at]! - from[at]!);
    return share < 1;
  }

  /** 0..1. */
  visibility(point: number): number {
    return this.start[point]! + this.share * (this.end - this.start[point]!);
  }
}
