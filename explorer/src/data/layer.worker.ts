/**
 * Off the main thread: fetches, checks and prepares one layer at a time, then finds features in it. A newer request
 * cancels the previous one of its kind.
 */
import { LayerCache } from "./cache";
import { ContractError, type LayerEntry, parseJson, parseLayer } from "./contract";
import { FetchError, fetchFile, gunzip, type ListedFile } from "./fetch";
import { type Details, type Layer, layerOfGraph, linkCount, transferables } from "./layer";
import { type Hits, SearchIndex } from "./search";
import { type About, detailsOfTable, layerOfTable } from "./table";

interface Published {
  kind: "published";
  entry: LayerEntry;
  about: Omit<About, "layer" | "edges">;
  manifestUrl: string;
}

export type Load = Published | { kind: "file"; file: File };

/** `shown` and `layer` are ids of requests that loaded a layer: the one that is shown, the one to search. */
export type Request = { id: number } & (
  | (Load & { shown: number })
  | { kind: "search"; layer: number; query: string }
  | { kind: "details"; layer: number; index: number }
);

export type Reply = { id: number } & (
  | { kind: "progress"; loaded: number; total: number }
  | { kind: "preparing" }
  | { kind: "layer"; layer: Layer; fromCache: boolean }
  | { kind: "hits"; hits: Hits }
  | { kind: "details"; details: Details }
  | { kind: "failed"; message: string }
);

const cache = new LayerCache();
let running: AbortController | null = null;
/** By the id of the request that loaded the layer: the layer shown, and one that may replace it. */
const held = new Map<number, { index: () => Promise<SearchIndex>; details: DetailsReader }>();
let latestSearch = 0;
/** Milliseconds from a layer's delivery to when its labels are indexed, unless somebody searches earlier. */
const AFTER_PICTURE = 400;

/** Reads, when it is first called, what the first view of a layer does without. */
type DetailsReader = () => Promise<(index: number) => Details>;

interface Opened {
  layer: Layer;
  fromCache: boolean;
  details: DetailsReader;
}

self.onmessage = ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === "search") return search(request);
  return request.kind === "details" ? describe(request) : load(request);
};

async function load(request: Load & { id: number; shown: number }): Promise<void> {
  const { id } = request;
  running?.abort();
  // A layer that arrived too late was not shown, and what is shown stays if this load fails.
  for (const other of held.keys()) if (other !== request.shown) held.delete(other);
  const controller = new AbortController();
  running = controller;
  const { signal } = controller;
  try {
    const { layer, fromCache, details } = await (request.kind === "file"
      ? openFile(request.file, id)
      : openPublished(request, id, signal));
    if (signal.aborted) return;
    // Copies: the layer's arrays move to the other thread.
    const linkCounts = Uint32Array.from(layer.index, (_, node) => linkCount(layer, node));
    const features = { labels: layer.labels, index: layer.index.slice(), linkCounts };
    reply({ id, kind: "layer", layer, fromCache }, transferables(layer));
    const index = once(() => SearchIndex.of(features));
    held.set(id, { index, details });
    // The first picture has both processors to itself.
    setTimeout(index, AFTER_PICTURE);
  } catch (error) {
    if (!signal.aborted) reply({ id, kind: "failed", message: (error as Error).message });
  }
}

async function openFile(file: File, id: number): Promise<Opened> {
  return readable(file.name, async () => {
    const bytes = await gunzip(await file.arrayBuffer());
    reply({ id, kind: "preparing" });
    return { ...ofText(bytes, file.name), fromCache: false };
  });
}

async function openPublished(
  { entry, about, manifestUrl }: Published,
  id: number,
  signal: AbortSignal,
): Promise<Opened> {
  const progress = (loaded: number, total: number) => reply({ id, kind: "progress", loaded, total });
  const receive = (file: ListedFile) => fetchFile(file, new URL(manifestUrl), cache, progress, signal);
  const { layer: number, table, edges } = entry;
  if (table && edges) {
    try {
      const { bytes, fromCache } = await receive({ ...table, layer: number, key: "table" });
      reply({ id, kind: "preparing" });
      const name = table.filePath;
      const layer = await readable(name, () => layerOfTable(bytes, { ...about, layer: number, edges }, name));
      return { layer, fromCache, details: once(() => readable(name, () => detailsOfTable(bytes, name))) };
    } catch (error) {
      // Published without its table.
      if (!(error instanceof FetchError) || error.status !== 404) throw error;
    }
  }
  const { bytes, fromCache } = await receive(entry);
  reply({ id, kind: "preparing" });
  return { ...(await readable(entry.filePath, () => ofText(bytes, entry.filePath))), fromCache };
}

async function describe({ id, layer, index }: { id: number; layer: number; index: number }): Promise<void> {
  try {
    const details = await held.get(layer)?.details();
    if (details) reply({ id, kind: "details", details: details(index) });
  } catch (error) {
    reply({ id, kind: "failed", message: (error as Error).message });
  }
}

async function search({ id, layer, query }: { id: number; layer: number; query: string }): Promise<void> {
  latestSearch = id;
  const index = await held.get(layer)?.index();
  // Lets queries that were typed meanwhile come in first.
  await new Promise((resolve) => setTimeout(resolve));
  if (index && id === latestSearch) reply({ id, kind: "hits", hits: index.search(query) });
}

function ofText(bytes: ArrayBuffer, name: string): Pick<Opened, "layer" | "details"> {
  const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  const file = parseLayer(parseJson(text, name), name);
  const explainers = file.metadata.nodeFacts?.explainer;
  const byIndex = new Map(file.nodes.map(({ featureId }, node) => [featureId.index, explainers?.[node]]));
  const details = async () => (index: number) => ({ explainer: byIndex.get(index) ?? null, topTokens: [] });
  return { layer: layerOfGraph(file, name), details };
}

function once<Result>(read: () => Promise<Result>): () => Promise<Result> {
  let result: Promise<Result> | null = null;
  return () => (result ??= read());
}

/** Names the file in errors that do not. */
async function readable<Result>(name: string, read: () => Result | Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ContractError) throw error;
    throw new ContractError(`${name} could not be read: ${(error as Error).message}`);
  }
}

function reply(message: Reply, transfer: Transferable[] = []): void {
  self.postMessage(message, { transfer });
}
