/** The main thread's side of layer.worker.ts: one promise per question. */

import { scriptUrl } from "../trusted";
import type { Details } from "./layer";
import type { Answer, Kind, Load, Loaded, Question, Reply } from "./layer.worker";
import workerUrl from "./layer.worker.ts?worker&url";
import type { Hits } from "./search";

export type { Loaded };

/** `total` is null while the file is being prepared, which takes an unknown time. */
export type OnProgress = (loaded: number, total: number | null) => void;

const BROKEN =
  `The page's file ${workerUrl.split("/").at(-1)} is missing or damaged: reload the page; ` +
  "if that does not help, build and publish the explorer again";

interface Waiting {
  id: number;
  onProgress: OnProgress;
  resolve(answer: Answer<Kind>): void;
  reject(error: Error): void;
}

/** All answers are null if a newer question of the kind replaced theirs, and reject with a message for the reader. */
export class LayerWorker {
  private readonly worker = new Worker(scriptUrl(workerUrl), { type: "module" });
  private readonly waiting: Partial<Record<Kind, Waiting>> = {};
  private questions = 0;
  /** The id of the layer that is shown. */
  private shown = 0;
  private broken = false;

  constructor() {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      const waiting = Object.values(this.waiting).find(({ id }) => id === data.id);
      if ("failed" in data) waiting?.reject(new Error(data.failed));
      else if ("answer" in data) waiting?.resolve(data.answer);
      else waiting?.onProgress(data.loaded, data.total);
    });
    // The file is missing, or the host sends something else in its place: the worker will never answer.
    this.worker.addEventListener("error", () => {
      this.broken = true;
      for (const { reject } of Object.values(this.waiting)) reject(new Error(BROKEN));
    });
  }

  /** Loads one layer, and cancels a load that is under way. */
  load(load: Load, onProgress: OnProgress): Promise<Loaded | null> {
    return this.ask("load", { ...load, shown: this.shown }, onProgress);
  }

  /** Takes note that a layer is shown now, and the one before no longer. */
  show({ id }: Loaded): void {
    this.shown = id;
  }

  /** What a query finds in the layer that is shown. */
  search(query: string): Promise<Hits | null> {
    return this.ask("search", { layer: this.shown, query });
  }

  /** What only the panel shows of a feature of that layer. */
  details(index: number): Promise<Details | null> {
    return this.ask("details", { layer: this.shown, index });
  }

  // About a model, whose files are fetched the first time.
  readonly track = (question: Question<"track">) => this.ask("track", question);
  readonly position = (question: Question<"position">) => this.ask("position", question);
  readonly entries = (question: Question<"entries">) => this.ask("entries", question);
  readonly counts = (question: Question<"counts">) => this.ask("counts", question);

  private ask<K extends Kind>(
    kind: K,
    question: Question<K>,
    onProgress: OnProgress = () => {},
  ): Promise<Answer<K> | null> {
    const id = ++this.questions;
    this.waiting[kind]?.resolve(null);
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(new Error(BROKEN));
      this.waiting[kind] = { id, onProgress, resolve: resolve as Waiting["resolve"], reject };
      this.worker.postMessage({ id, kind, question });
    });
  }
}
