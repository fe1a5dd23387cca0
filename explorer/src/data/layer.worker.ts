/**
 * Off the main thread: fetches, checks and prepares one layer at a time, then finds features in it. A newer request
 * cancels the previous one of its kind.
 */
import { LayerCache } from "./cache";
import { ContractError, type LayerEntry, type PublishedFile, parseJson, parseLayer } from "./contract";
import { FetchError, fetchFile, gunzip, type ListedFile } from "./fetch";
import { type Details, type Layer, layerOfGraph, linkCount, transferables } from "./layer";
import { type Hits, SearchIndex } from "./search";
import { type About, detailsOfTable, framePositions, layerOfTables, type NamedBytes } from "./table";
import { type FeatureId, type Member, type TrackEntry, Tracks } from "./tracks";

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
  | ({ kind: "track" } & TrackQuery)
  | ({ kind: "position" } & PositionQuery)
  | ({ kind: "entries" } & EntriesQuery)
  | ({ kind: "counts" } & CountsQuery)
);

/** The track of a feature, and the labels of `others`. */
export interface TrackQuery {
  manifestUrl: string;
  tracks: PublishedFile;
  feature: FeatureId;
  others: FeatureId[];
}

/** The tracks and labels of features of any layer. */
export interface EntriesQuery {
  manifestUrl: string;
  tracks: PublishedFile;
  features: FeatureId[];
}

/** How many features of each layer the search finds. */
export interface CountsQuery {
  manifestUrl: string;
  tracks: PublishedFile;
  query: string;
}

/** Where a feature is in the frame; `table` is that of its layer. */
export interface PositionQuery {
  manifestUrl: string;
  table: PublishedFile;
  feature: FeatureId;
}

export interface Track {
  members: Member[];
  /** Of the others. */
  labels: (string | null)[];
}

export type Reply = { id: number } & (
  | { kind: "progress"; loaded: number; total: number }
  | { kind: "preparing" }
  | { kind: "layer"; layer: Layer; fromCache: boolean }
  | { kind: "hits"; hits: Hits }
  | { kind: "details"; details: Details }
  | { kind: "track"; track: Track }
  | { kind: "position"; position: number[] }
  | { kind: "entries"; entries: (TrackEntry | null)[] }
  | { kind: "counts"; counts: Map<number, number> }
  | { kind: "failed"; message: string }
);

const cache = new LayerCache();
let running: AbortController | null = null;
/** By the id of the request that loaded the layer: the layer shown, and one that may replace it. */
const held = new Map<number, { index: () => Promise<SearchIndex>; details: DetailsReader }>();
let latestSearch = 0;
/** Milliseconds from a layer's delivery to when its labels are indexed, unless somebody searches earlier. */
const AFTER_PICTURE = 1000;

/** Reads, when it is first called, what the first view of a layer does without. */
type DetailsReader = () => Promise<(index: number) => Details>;

interface Opened {
  layer: Layer;
  fromCache: boolean;
  details: DetailsReader;
}

self.onmessage = ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === "published" || request.kind === "file") return load(request);
  if (request.kind === "search") return search(request);
  return answer(request.id, () => answerOf(request));
};

/** By sha256: the tracks of the model that was asked about last, and the positions of layers in their frame. */
const tracks = new Map<string, Promise<Tracks>>();
const positions = new Map<string, Promise<Float32Array>>();

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
    // The first picture, and the glide to it, have the processors to themselves.
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
  const { layer: number, table, edges, frame } = entry;
  const graph = hasGraph(entry) ? entry : null;
  if (table && edges) {
    try {
      const [own, placed] = await Promise.all([
        receive({ ...table, layer: number, key: "table" }),
        // Published without its atlas, a layer is shown on its own map.
        frame ? receive({ ...frame.table, layer: number, key: "frame.table" }).catch(nullIfMissing) : null,
      ]);
      reply({ id, kind: "preparing" });
      const file = { bytes: own.bytes, name: table.filePath };
      const inFrame = placed && { bytes: placed.bytes, name: frame!.table.filePath };
      return {
        layer: await readable(file.name, () =>
          layerOfTables(file, inFrame, { ...about, layer: number, edges }),
        ),
        fromCache: own.fromCache && (placed?.fromCache ?? true),
        details: once(() => readable(file.name, () => detailsOfTable(file))),
      };
    } catch (error) {
      if (!graph) throw error;
      // Published without its table.
      nullIfMissing(error);
    }
  }
  const { bytes, fromCache } = await receive(graph!);
  reply({ id, kind: "preparing" });
  const name = graph!.filePath;
  return { ...(await readable(name, () => ofText(bytes, name))), fromCache };
}

function hasGraph(entry: LayerEntry): entry is LayerEntry & PublishedFile {
  return entry.filePath !== undefined;
}

type Question = Extract<Request, { kind: "details" | "track" | "position" | "entries" | "counts" }>;
type Answer = Extract<Reply, { kind: Question["kind"] }>;
type Unnumbered<R> = R extends unknown ? Omit<R, "id"> : never;

async function answer(id: number, find: () => Promise<Unnumbered<Answer> | null>): Promise<void> {
  try {
    const result = await find();
    if (result) reply({ ...result, id } as Reply);
  } catch (error) {
    reply({ id, kind: "failed", message: (error as Error).message });
  }
}

async function answerOf(request: Question): Promise<Unnumbered<Answer> | null> {
  if (request.kind === "details") {
    const details = await held.get(request.layer)?.details();
    return details ? { kind: "details", details: details(request.index) } : null;
  }
  const { manifestUrl } = request;
  if (request.kind === "position") {
    const { layer, index } = request.feature;
    const listed: ListedFile = { ...request.table, layer, key: "frame.table" };
    const all = await readOnce(positions, listed, manifestUrl, framePositions);
    return { kind: "position", position: [...all.subarray(3 * index, 3 * index + 3)] };
  }
  if (!tracks.has(request.tracks.sha256)) tracks.clear();
  const listed: ListedFile = { ...request.tracks, layer: null, key: "atlas.tracks" };
  const all = await readOnce(tracks, listed, manifestUrl, Tracks.of);
  if (request.kind === "entries") {
    return { kind: "entries", entries: request.features.map((feature) => all.entryOf(feature)) };
  }
  if (request.kind === "counts") return { kind: "counts", counts: await all.count(request.query) };
  const labels = request.others.map((other) => all.labelOf(other));
  return { kind: "track", track: { members: all.trackOf(request.feature), labels } };
}

/** Fetches and reads a file once; after a failure, again. */
function readOnce<Value>(
  values: Map<string, Promise<Value>>,
  listed: ListedFile,
  manifestUrl: string,
  read: (file: NamedBytes) => Promise<Value>,
): Promise<Value> {
  const { sha256, filePath: name } = listed;
  const fetched = async () => {
    const never = new AbortController().signal;
    const { bytes } = await fetchFile(listed, new URL(manifestUrl), cache, () => {}, never);
    return readable(name, () => read({ bytes, name }));
  };
  const value = values.get(sha256) ?? fetched();
  values.set(sha256, value);
  value.catch(() => values.delete(sha256));
  return value;
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
  const details = async () => (index: number) => ({
    explainer: byIndex.get(index) ?? null,
    otherExplanations: [],
    topTokens: [],
  });
  return { layer: layerOfGraph(file, name), details };
}

function nullIfMissing(error: unknown): null {
  if (error instanceof FetchError && error.status === 404) return null;
  throw error;
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
