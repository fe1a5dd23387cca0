/** The main thread's side of load.worker.ts: one promise per requested layer. */

import { scriptUrl } from "../trusted";
import type { LayerEntry } from "./contract";
import type { Layer } from "./layer";
import type { Reply, Request } from "./load.worker";
import workerUrl from "./load.worker.ts?worker&url";

export interface Loaded {
  layer: Layer;
  from: "network" | "cache" | "file";
  /** Size of the layer's plain JSON. */
  bytes: number;
}

/** `total` is null while the file is being prepared, which takes an unknown time. */
export type OnProgress = (loaded: number, total: number | null) => void;

type Source = { kind: "published"; entry: LayerEntry; manifestUrl: string } | { kind: "file"; file: File };

const BROKEN =
  `The page's file ${workerUrl.split("/").at(-1)} is missing or damaged: reload the page; ` +
  "if that does not help, build and publish the explorer again";

export class LayerLoader {
  private readonly worker = new Worker(scriptUrl(workerUrl), { type: "module" });
  private latest = 0;
  private broken = false;

  constructor() {
    // The file is missing, or the host sends something else in its place: the worker will never answer.
    this.worker.addEventListener("error", () => {
      this.broken = true;
    });
  }

  /**
   * Loads one layer, and cancels a load that is under way.
   * Resolves to null if a newer request replaced this one; rejects with a message for the reader.
   */
  load(source: Source, onProgress: OnProgress): Promise<Loaded | null> {
    const id = ++this.latest;
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        this.worker.removeEventListener("message", onMessage);
        this.worker.removeEventListener("error", onError);
        finish();
      };
      const onError = () => settle(() => reject(new Error(BROKEN)));
      const onMessage = ({ data: reply }: MessageEvent<Reply>) => {
        if (this.latest !== id) return settle(() => resolve(null));
        if (reply.id !== id) return;
        if (reply.kind === "progress") onProgress(reply.loaded, reply.total);
        else if (reply.kind === "preparing") onProgress(0, null);
        else if (reply.kind === "failed") settle(() => reject(new Error(reply.message)));
        else settle(() => resolve({ layer: reply.layer, from: reply.from, bytes: reply.bytes }));
      };
      if (this.broken) return onError();
      this.worker.addEventListener("error", onError);
      this.worker.addEventListener("message", onMessage);
      this.worker.postMessage({ id, ...source } satisfies Request);
    });
  }
}
