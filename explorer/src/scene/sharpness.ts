/** The resolution to draw at: lower while the camera moves and frames take long, full once it rests. */

/** Milliseconds per frame. */
const SLOW = 40;
const FAST = 14;
const STEP = 0.25;
const COARSEST = 0.5;

export class Sharpness {
  private share = 1;
  private before: number | null = null;
  private average = (SLOW + FAST) / 2;

  /** Share of the full resolution, 0.5..1, for a frame at `now` (milliseconds). */
  next(moving: boolean, now: number): number {
    if (!moving) {
      this.before = null;
      return 1;
    }
    if (this.before !== null) this.adapt(now - this.before);
    this.before = now;
    return this.share;
  }

  private adapt(taken: number): void {
    this.average += 0.2 * (Math.min(taken, 2 * SLOW) - this.average);
    const step = this.average > SLOW ? -STEP : this.average < FAST ? STEP : 0;
    const share = Math.min(1, Math.max(COARSEST, this.share + step));
    if (share === this.share) return;
    this.share = share;
    // A new resolution is judged by its own frames.
    this.average = (SLOW + FAST) / 2;
  }
}
