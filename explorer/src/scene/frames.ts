/** When maps are drawn: only when something changed, and two of them in the same frames, from the same side. */
import type { MapScene } from "./mapScene";
import { SharedView } from "./sharedView";
import { Sharpness } from "./sharpness";

export class Frames {
  /** Called when the camera has come to rest. */
  onRest: () => void = () => {};
  /** Called when a frame has been drawn. */
  onFrame: () => void = () => {};
  private readonly sharpness = new Sharpness();
  private scenes: MapScene[] = [];
  private view: SharedView | null = null;
  private scheduled = false;
  private moved = false;

  /** `canvas`: says while frames follow one another that it is busy. */
  constructor(private readonly canvas: HTMLElement) {}

  /** Draws these from now on, a second one from where the first is seen. */
  draw(first: MapScene, second: MapScene | null = null): void {
    this.scenes = second ? [first, second] : [first];
    this.view = second && new SharedView(first.camera, second.camera);
    this.request();
  }

  /** `moved`: the view is to be reported once it rests. */
  request({ moved = false } = {}): void {
    this.moved ||= moved;
    if (this.scheduled) return;
    this.scheduled = true;
    this.canvas.ariaBusy = "true";
    requestAnimationFrame((now) => this.next(now));
  }

  private next(now: number): void {
    this.scheduled = false;
    const moving = this.scenes.map((scene) => scene.move(now)).includes(true);
    this.view?.share();
    const ratio = this.sharpness.next(moving, now) * Math.min(window.devicePixelRatio, 2);
    const labelsDue = this.scenes.map((scene) => scene.draw(now, ratio)).includes(true);
    this.onFrame();
    if (moving || labelsDue) this.request({ moved: moving });
    if (this.scheduled) return;
    this.canvas.ariaBusy = "false";
    if (!this.moved || this.scenes.some((scene) => scene.isEmpty)) return;
    this.moved = false;
    this.onRest();
  }
}
