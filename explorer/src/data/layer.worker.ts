/** Off the main thread: fetches, checks and prepares layers, then answers questions about them and their model. */
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

export interface Loaded {
  /** By which questions name the layer. */
  id: number;
  layer: Layer;
  fromCache: boolean;
}

/** Where the tracks of a model are. */
interface OfModel {
  manifestUrl: string;
  tracks: PublishedFile;
}

interface PositionQuestion {
  manifestUrl: string;
  table: PublishedFile;
  feature: FeatureId;
}

export interface Track {
  members: Member[];
  /** Of the others. */
  labels: (string | null)[];
}

/** Reads, when it is first called, what the first view of a layer does without. */
type DetailsReader = () => Promise<(index: number) => Details>;

interface Opened {
  layer: Layer;
  fromCache: boolean;
  details: DetailsReader;
}

const cache = new LayerCache();
let running: AbortController | null = null;
let latestSearch = 0;
/** By id: the layer shown, and one that may replace it. */
const held = new Map<number, { index: () => Promise<SearchIndex>; details: DetailsReader }>();
/** By sha256: the tracks of the model that was asked about last, and the positions of layers in their frame. */
const tracks = new Map<string, Promise<Tracks>>();
const positions = new Map<string, Promise<Float32Array>>();
/** Milliseconds from a layer's delivery to when its labels are indexed, unless somebody searches earlier. */
const AFTER_PICTURE = 1000;

/** What can be asked. A newer question of a kind replaces the one before. */
const answers = {
  /** `shown`: the id of the layer that is shown, which stays if this load fails. */
  load,
  search,
  async details({ layer, index }: { layer: number; index: number }): Promise<Details | null> {
    const details = await held.get(layer)?.details();
    return details?.(index) ?? null;
  },
  /** The track of a feature, and the labels of `others`. */
  async track({
    feature,
    others,
    ...model
  }: OfModel & { feature: FeatureId; others: FeatureId[] }): Promise<Track> {
    const all = await tracksOf(model);
    return {
      members: all.trackOf(feature),
      labels: others.map((other) => all.entryOf(other)?.label ?? null),
    };
  },
  /** Where a feature is in the frame; `table` is that of its layer. */
  async position({ manifestUrl, table, feature: { index } }: PositionQuestion): Promise<number[]> {
    const all = await readOnce(positions, table, manifestUrl, framePositions);
    return [...all.subarray(3 * index, 3 * index + 3)];
  },
  /** The tracks and labels of features of any layer. */
  async entries({ features, ...model }: OfModel & { features: FeatureId[] }): Promise<(TrackEntry | null)[]> {
    const all = await tracksOf(model);
    return features.map((feature) => all.entryOf(feature));
  },
  /** By layer: how many features a query finds. */
  async counts({ query, ...model }: OfModel & { query: string }): Promise<Map<number, number>> {
    return (await tracksOf(model)).count(query);
  },
};

type Answers = typeof answers;
export type Kind = keyof Answers;
export type Question<K extends Kind> = Parameters<Answers[K]>[0];
export type Answer<K extends Kind> = Awaited<ReturnType<Answers[K]>>;

export interface Request<K extends Kind = Kind> {
  id: number;
  kind: K;
  question: Question<K>;
}

/** `total` is null while a file is being prepared, which takes an unknown time; `failed` is for the reader. */
export type Reply = { id: number } & (
  | { loaded: number; total: number | null }
  | { failed: string }
  | { answer: Answer<Kind> }
);

self.onmessage = async ({ data: { id, kind, question } }: MessageEvent<Request>) => {
  const find = answers[kind] as (question: Question<Kind>, id: number) => Promise<Answer<Kind>>;
  try {
    const answer = await find(question, id);
    reply({ id, answer }, kind === "load" ? transferables(answer as Loaded) : []);
  } catch (error) {
    reply({ id, failed: (error as Error).message });
  }
};

async function load({ shown, ...request }: Load & { shown: number }, id: number): Promise<Loaded> {
  running?.abort();
  // A layer that arrived too late was not shown.
  for (const other of held.keys()) if (other !== shown) held.delete(other);
  running = new AbortController();
  const { signal } = running;
  const { layer, fromCache, details } = await (request.kind === "file"
    ? openFile(request.file, id)
    : openPublished(request, id, signal));
  signal.throwIfAborted();
  // Copies: the layer's arrays move to the other thread.
  const linkCounts = Uint32Array.from(layer.index, (_, node) => linkCount(layer, node));
  const features = { labels: layer.labels, index: layer.index.slice(), linkCounts };
  const index = once(() => SearchIndex.of(features));
  held.set(id, { index, details });
  // The first picture, and the glide to it, have the processors to themselves.
  setTimeout(index, AFTER_PICTURE);
  return { id, layer, fromCache };
}

async function openFile(file: File, id: number): Promise<Opened> {
  return readable(file.name, async () => {
    const bytes = await gunzip(await file.arrayBuffer());
    return { ...ofText({ bytes, name: file.name }, id), fromCache: false };
  });
}

async function openPublished(
  { entry, about, manifestUrl }: Published,
  id: number,
  signal: AbortSignal,
): Promise<Opened> {
  const progress = (loaded: number, total: number) => reply({ id, loaded, total });
  const receive = (file: ListedFile) => fetchFile(file, new URL(manifestUrl), cache, progress, signal);
  const { layer, table, edges, frame } = entry;
  const graph = hasGraph(entry) ? entry : null;
  if (table && edges) {
    // Published without its atlas, a layer is shown on its own map.
    const received = frame ? receive(frame.table).catch(nullIfMissing) : null;
    received?.catch(() => {}); // reported below, if it matters
    // Published without its table, it is read from its file.
    const own = await (graph ? receive(table).catch(nullIfMissing) : receive(table));
    if (own) {
      const inFrame = await received;
      reply({ id, loaded: 0, total: null });
      return {
        layer: await readable(own.name, () => layerOfTables(own, inFrame, { ...about, layer, edges })),
        fromCache: own.fromCache && (inFrame?.fromCache ?? true),
        details: once(() => readable(own.name, () => detailsOfTable(own))),
      };
    }
  }
  const file = await receive(graph!);
  return { ...(await readable(file.name, () => ofText(file, id))), fromCache: file.fromCache };
}

function hasGraph(entry: LayerEntry): entry is LayerEntry & PublishedFile {
  return entry.filePath !== undefined;
}

function tracksOf({ manifestUrl, tracks: file }: OfModel): Promise<Tracks> {
  if (!tracks.has(file.sha256)) tracks.clear();
  return readOnce(tracks, file, manifestUrl, Tracks.of);
}

/** Fetches and reads a file once; after a failure, again. */
function readOnce<Value>(
  values: Map<string, Promise<Value>>,
  listed: PublishedFile,
  manifestUrl: string,
  read: (file: NamedBytes) => Promise<Value>,
): Promise<Value> {
  const fetched = async () => {
    const file = await fetchFile(listed, new URL(manifestUrl), cache);
    return readable(file.name, () => read(file));
  };
  const value = values.get(listed.sha256) ?? fetched();
  values.set(listed.sha256, value);
  value.catch(() => values.delete(listed.sha256));
  return value;
}

async function search({ layer, query }: { layer: number; query: string }, id: number): Promise<Hits | null> {
  latestSearch = id;
  const index = await held.get(layer)?.index();
  // Lets queries that were typed meanwhile come in first.
  await new Promise((resolve) => setTimeout(resolve));
  return index && id === latestSearch ? index.search(query) : null;
}

function ofText({ bytes, name }: NamedBytes, id: number): Pick<Opened, "layer" | "details"> {
  reply({ id, loaded: 0, total: null });
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
