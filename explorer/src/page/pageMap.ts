/** One of the two maps of the page: what it shows, and what draws and reads it. */
import type { Load } from "../data/layer.worker";
import { LayerWorker, type Loaded } from "../data/layerWorker";
import type { Frames } from "../scene/frames";
import { MapScene } from "../scene/mapScene";
import { SceneLabels } from "../scene/sceneLabels";
import { byId } from "../ui/dom";
import { showProgress } from "../ui/notices";
import type { Store } from "./state";

export class PageMap {
  /** Null without WebGL; for the second map, until there is a first comparison. */
  scene: MapScene | null = null;
  readonly canvas: HTMLCanvasElement;

  /** `store`: the state as this map has it; `element`: holds its canvas, labels and title. */
  constructor(
    readonly store: Store,
    readonly element: HTMLElement,
    private reader: LayerWorker | null = null,
  ) {
    this.canvas = element.querySelector("canvas")!;
  }

  /** Started when it is first needed, at the latest. */
  get worker(): LayerWorker {
    this.reader ??= new LayerWorker();
    return this.reader;
  }

  /**
   * Loads a layer that will be shown, and shows how far that is.
   * Resolves to null if it is no longer wanted, or if a newer request has taken over, with progress of its own; rejects
   * with a message for the reader.
   */
  async load(request: Load, wanted = () => true): Promise<Loaded | null> {
    showProgress(0);
    try {
      const loaded = await this.worker.load(request, (done, total) =>
        showProgress(total === null ? "unknown" : done / total),
      );
      if (loaded === null) return null;
      showProgress(null);
      if (!wanted()) return null;
      this.worker.show(loaded);
      return loaded;
    } catch (error) {
      showProgress(null);
      throw error;
    }
  }

  createScene(frames: Frames): void {
    const panels = () => [...document.querySelectorAll(".panel:not([hidden]), .half-title:not([hidden])")];
    const labels = this.element.querySelector<HTMLElement>(".scene-labels")!;
    try {
      this.scene = new MapScene(this.canvas, new SceneLabels(labels, panels), frames);
    } catch (error) {
      console.warn("No WebGL 2:", error);
      byId("no-webgl").hidden = false;
    }
  }
}
