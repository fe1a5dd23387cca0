/** A smooth camera movement from the current view to another. */
import type { PerspectiveCamera, Vector3 } from "three";

/** Milliseconds. */
const DURATION = 850;

export class Flight {
  private readonly fromEye: Vector3;
  private readonly fromTarget: Vector3;
  private readonly duration: number;
  private started: number | null = null;

  constructor(
    private readonly camera: PerspectiveCamera,
    private readonly target: Vector3,
    private readonly toEye: Vector3,
    private readonly toTarget: Vector3,
    duration = DURATION,
  ) {
    this.duration = prefersStillness() ? 0 : duration;
    this.fromEye = camera.position.clone();
    this.fromTarget = target.clone();
  }

  /** Moves the camera to where it is at `now` (milliseconds). Returns false once it has arrived. */
  step(now: number): boolean {
    this.started ??= now;
    const share = this.duration === 0 ? 1 : Math.min(1, (now - this.started) / this.duration);
    const eased = share < 0.5 ? 4 * share ** 3 : 1 - (-2 * share + 2) ** 3 / 2;
    this.camera.position.lerpVectors(this.fromEye, this.toEye, eased);
    this.target.lerpVectors(this.fromTarget, this.toTarget, eased);
    return share < 1;
  }
}

export function prefersStillness(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
