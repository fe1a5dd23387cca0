/** One view for two cameras: what moves one moves the other. */
import type { MapCamera } from "./camera";

/** Map units: less is the rounding of a view that was handed on. */
const MOVED = 1e-5;

export class SharedView {
  private view: number[];

  constructor(
    private readonly left: MapCamera,
    private readonly right: MapCamera,
  ) {
    this.view = left.view();
    right.setView(this.view);
    left.onGrab = () => right.halt();
    right.onGrab = () => left.halt();
  }

  /** Hands the view of the camera that has moved since the last call to the other. */
  share(): void {
    const { left, right } = this;
    const from = this.hasMoved(left) ? left : right;
    if (!this.hasMoved(from)) return;
    this.view = from.view();
    const to = from === left ? right : left;
    to.halt();
    to.setView(this.view);
  }

  private hasMoved(camera: MapCamera): boolean {
    return camera.view().some((value, at) => Math.abs(value - this.view[at]!) > MOVED);
  }
}
