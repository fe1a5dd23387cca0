/** Off the main thread: fetches, checks and prepares one layer at a time. A newer request cancels the previous one. */
import { LayerCache } from "./cache";
import { ContractError, type LayerEntry, parseJson, parseLayer } from "./contract";
import { FetchError, fetchLayer, gunzip, type Received } from "./fetch";
import { type Layer, prepareLayer, transferables } from "./layer";

export type Request = { id: number } & (
  | { kind: "published"; entry: LayerEntry; manifestUrl: string }
  | { kind: "file"; file: File }
);

export type Reply = { id: number } & (
  | { kind: "progress"; loaded: number; total: number }
  | { kind: "preparing" }
  | { kind: "layer"; layer: Layer; from: Received["from"] | "file"; bytes: number }
  | { kind: "failed"; message: string }
);

const cache = new LayerCache();
let running: AbortController | null = null;

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  running?.abort();
  const controller = new AbortController();
  running = controller;
  try {
    const received = await receive(request, controller.signal);
    if (controller.signal.aborted) return;
    reply({ id: request.id, kind: "preparing" });
    const name = nameOf(request);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(received.bytes);
    const layer = prepareLayer(parseLayer(parseJson(text, name), name), name);
    const message = {
      id: request.id,
      kind: "layer",
      layer,
      from: received.from,
      bytes: received.bytes.byteLength,
    } as const;
    reply(message, transferables(layer));
  } catch (error) {
    if (controller.signal.aborted) return;
    reply({ id: request.id, kind: "failed", message: explain(error, nameOf(request)) });
  }
};

async function receive(request: Request, signal: AbortSignal) {
  if (request.kind === "file") {
    return { bytes: await gunzip(await request.file.arrayBuffer()), from: "file" as const };
  }
  const progress = (loaded: number, total: number) =>
    reply({ id: request.id, kind: "progress", loaded, total });
  return fetchLayer(request.entry, new URL(request.manifestUrl), cache, progress, signal);
}

function nameOf(request: Request): string {
  return request.kind === "file" ? request.file.name : request.entry.filePath;
}

function explain(error: unknown, name: string): string {
  if (error instanceof FetchError) return error.message;
  if (error instanceof ContractError) return error.message;
  return `${name} could not be read: ${(error as Error).message}`;
}

function reply(message: Reply, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
