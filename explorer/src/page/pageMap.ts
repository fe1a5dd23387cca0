/** One of the two maps of the page: what it shows, and what draws and reads it. */
import { LayerWorker } from "../data/layerWorker";
import { MapScene } from "../scene/mapScene";
import { SceneLabels } from "../scene/sceneLabels";
import { byId } from "../ui/dom";
import type { Store } from "./state";

export class PageMap {
  /** Null without WebGL; for the second map, until there is a first comparison. */
  scene: MapScene | null = null;
  readonly canvas: HTMLCanvasElement;
  private reader: LayerWorker | null = null;

  /** `store`: the state as this map has it; `element`: holds its canvas, labels and title. */
  constructor(
    readonly store: Store,
    readonly element: HTMLElement,
  ) {
    this.canvas = element.querySelector("canvas")!;
  }

  /** Started when it is first needed. */
  get worker(): LayerWorker {
    this.reader ??= new LayerWorker();
    return this.reader;
  }

  createScene(): void {
    const panels = () => [...document.querySelectorAll(".panel:not([hidden]), .half-title:not([hidden])")];
    const labels = this.element.querySelector<HTMLElement>(".scene-labels")!;
    try {
      this.scene = new MapScene(this.canvas, new SceneLabels(labels, panels));
    } catch (error) {
      console.warn("No WebGL 2:", error);
      byId("no-webgl").hidden = false;
    }
  }
}
