/** The main thread's side of layer.worker.ts: one promise per request. */

import { scriptUrl } from "../trusted";
import type { Details, Layer } from "./layer";
import type {
  CountsQuery,
  EntriesQuery,
  Load,
  PositionQuery,
  Reply,
  Request,
  Track,
  TrackQuery,
} from "./layer.worker";
import workerUrl from "./layer.worker.ts?worker&url";
import type { Hits } from "./search";
import type { TrackEntry } from "./tracks";

export interface Loaded {
  layer: Layer;
  fromCache: boolean;
}

/** `total` is null while the file is being prepared, which takes an unknown time. */
export type OnProgress = (loaded: number, total: number | null) => void;

const BROKEN =
  `The page's file ${workerUrl.split("/").at(-1)} is missing or damaged: reload the page; ` +
  "if that does not help, build and publish the explorer again";

/** Without its id. */
type Unnumbered<R> = R extends Request ? Omit<R, "id"> : never;

/** A newer request of a kind replaces the one before. */
type Kind = "load" | "search" | "details" | "track" | "position" | "entries" | "counts";

interface Waiting {
  id: number;
  onReply(reply: Reply): void;
  onBroken(): void;
  onReplaced(): void;
}

export class LayerWorker {
  private readonly worker = new Worker(scriptUrl(workerUrl), { type: "module" });
  private readonly waiting: Partial<Record<Kind, Waiting>> = {};
  private requests = 0;
  /** The id of the request that loaded the layer which the worker searches. */
  private loaded = 0;
  private broken = false;

  constructor() {
    this.worker.addEventListener("message", ({ data }: MessageEvent<Reply>) => {
      for (const waiting of Object.values(this.waiting)) if (waiting.id === data.id) waiting.onReply(data);
    });
    // The file is missing, or the host sends something else in its place: the worker will never answer.
    this.worker.addEventListener("error", () => {
      this.broken = true;
      for (const waiting of Object.values(this.waiting)) waiting.onBroken();
    });
  }

  /**
   * Loads one layer, and cancels a load that is under way.
   * Resolves to null if a newer request replaced this one; rejects with a message for the reader.
   */
  load(load: Load, onProgress: OnProgress): Promise<Loaded | null> {
    return this.request("load", { ...load, shown: this.loaded }, (reply, id) => {
      if (reply.kind === "progress") onProgress(reply.loaded, reply.total);
      else if (reply.kind === "preparing") onProgress(0, null);
      else if (reply.kind === "layer") {
        this.loaded = id;
        return { layer: reply.layer, fromCache: reply.fromCache };
      }
      return undefined;
    });
  }

  /** What a query finds in the layer that was loaded last; null if a newer search replaced this one. */
  search(query: string): Promise<Hits | null> {
    return this.request("search", { kind: "search", layer: this.loaded, query }, (reply) =>
      reply.kind === "hits" ? reply.hits : undefined,
    );
  }

  /** What only the panel shows of a feature of that layer; null if a newer request replaced this one. */
  details(index: number): Promise<Details | null> {
    return this.request("details", { kind: "details", layer: this.loaded, index }, (reply) =>
      reply.kind === "details" ? reply.details : undefined,
    );
  }

  /** Reads the tracks of the model the first time. Null if a newer request replaced this one. */
  track(query: TrackQuery): Promise<Track | null> {
    return this.request("track", { kind: "track", ...query }, (reply) =>
      reply.kind === "track" ? reply.track : undefined,
    );
  }

  /** Fetches the table of a layer the first time. Null if a newer request replaced this one. */
  position(query: PositionQuery): Promise<number[] | null> {
    return this.request("position", { kind: "position", ...query }, (reply) =>
      reply.kind === "position" ? reply.position : undefined,
    );
  }

  /** Reads the tracks of the model the first time. Null if a newer request replaced this one. */
  entries(query: EntriesQuery): Promise<(TrackEntry | null)[] | null> {
    return this.request("entries", { kind: "entries", ...query }, (reply) =>
      reply.kind === "entries" ? reply.entries : undefined,
    );
  }

  /** By layer: how many features a query finds. Reads the tracks of the model the first time. */
  counts(query: CountsQuery): Promise<Map<number, number> | null> {
    return this.request("counts", { kind: "counts", ...query }, (reply) =>
      reply.kind === "counts" ? reply.counts : undefined,
    );
  }

  /** `resultOf` returns undefined for replies that more will follow. */
  private request<Result>(
    kind: Kind,
    request: Unnumbered<Request>,
    resultOf: (reply: Reply, id: number) => Result | undefined,
  ): Promise<Result | null> {
    const id = ++this.requests;
    this.waiting[kind]?.onReplaced();
    return new Promise((resolve, reject) => {
      const onBroken = () => reject(new Error(BROKEN));
      const onReply = (reply: Reply) => {
        if (reply.kind === "failed") return reject(new Error(reply.message));
        const result = resultOf(reply, id);
        if (result !== undefined) resolve(result);
      };
      this.waiting[kind] = { id, onReply, onBroken, onReplaced: () => resolve(null) };
      if (this.broken) return onBroken();
      this.worker.postMessage({ ...request, id });
    });
  }
}
