/**
 * One map, prepared for drawing and look-ups: typed arrays in the order of the nodes.
 *
 * A *node* is a position in these arrays, 0..count-1; a *feature index* is the SAE's own number. They differ if
 * there are dead features, which have no node.
 */
import { boilerplateOf } from "./boilerplate";
import { ContractError, type LayerFile } from "./contract";
import { type Areas, areasOf, type ListedRegion, type Regions, regionsOf } from "./regions";

/** Where the nodes are on one map, as a file says. */
interface Mapped {
  /** (3 * count,) x, y, z. */
  positions: Float32Array;
  /** (count,) share of the 15 nearest neighbours in the full space that are among the 15 nearest points. */
  kept: Float32Array | null;
}

/** The same, and what follows from it. */
export interface Placed extends Mapped {
  /** Half the largest extent of the map. */
  radius: number;
  center: [number, number, number];
  areas: Areas;
}

/** What a file says of a layer, whatever its format, in the order of the nodes. */
interface Described {
  modelId: string;
  displayName: string;
  layer: number;
  neuronpedia: { modelId: string; sourceId: string } | null;
  deadCount: number;
  /** (count,) the feature index of each node. */
  index: Uint32Array;
  /** (count,) share of tokens that activate the feature; NaN where unknown. */
  density: Float32Array | null;
  /** (count,) NaN where unknown. */
  maxActivation: Float32Array | null;
  /** Where the nodes go on in other layers; null without an atlas. */
  passage: Passage | null;
  edges: { source: Uint32Array; target: Uint32Array; weight: Float32Array };
  /** Each node's nearest in the decoder's full space, as far as they are stored. */
  nearest: Links | null;
}

/** The positions and what follows from them are those of one of its maps. */
export interface Layer extends Described, Placed, Regions {
  /** Number of nodes. */
  count: number;
  /** (count,) null where a feature has no label. */
  labels: (string | null)[];
  /** The categories that occur, most frequent first; empty if no node has one. */
  categories: string[];
  /** (count,) position in `categories`; -1 if there is none. */
  category: Int16Array;
  /** The layer's own map, and the map in the frame of all layers of its model, if there is one. */
  maps: { own: Placed; frame: Placed | null };
  links: Links;
  /** (count,) nodes, those whose labels matter most first. */
  prominence: Uint32Array;
  /** Words that open labels whatever they are about. */
  boilerplate: Set<string>;
}

/** What only the panel of a feature shows. */
export interface Details {
  explainer: string | null;
  /** Beside the label. */
  otherExplanations: Explanation[];
  /** Strongest first; none where none is known. */
  topTokens: string[];
}

export interface Explanation {
  label: string;
  /** Who or what wrote it; null where that is not known. */
  explainer: string | null;
}

/** How the nodes go on through the layers of the model. */
export interface Passage {
  /** (count,) the number of each node's track: the features that follow one another through the layers. */
  track: Int32Array;
  /** (count,) how many features that track has. */
  length: Int32Array;
  previous: Nearest;
  next: Nearest;
}

/** Each node's nearest feature in an adjacent layer. */
export interface Nearest {
  /** (count,) feature index; -1 where there is no such layer. */
  index: Int32Array;
  cosine: Float32Array;
  /** (count,) 1 if that feature's nearest is the node in turn. */
  mutual: Uint8Array;
}

/** Each node's links, strongest first: those of node i lie at offset[i]..offset[i + 1]. */
export interface Links {
  offset: Uint32Array;
  neighbor: Uint32Array;
  weight: Float32Array;
}

/** Map units. The workflow's maps end at 50; a camera that reaches much further cannot tell near from far. */
const LARGEST_COORDINATE = 1000;

/** From which a layer is made. */
export interface Parts extends Described, Mapped {
  /** The same nodes in the frame of all layers. */
  frame: Mapped | null;
  labels: (string | null)[];
  categories: (string | null)[];
  regions: ListedRegion[];
  /** Id of the smallest region around each node; none where the map is not divided. */
  regionIds: (string | null)[];
}

export function layerOf({ labels, categories, positions, kept, frame, ...rest }: Parts): Layer {
  const { regions: listed, regionIds, ...parts } = rest;
  const trimmed = labels.map((label) => label?.trim() || null);
  const links = linksOf(trimmed.length, parts.edges);
  const regions = regionsOf(listed, regionIds, parts.index);
  const placed = (on: Mapped): Placed => ({
    ...on,
    ...extent(on.positions),
    areas: areasOf(regions, on.positions),
  });
  const own = placed({ positions, kept });
  return {
    ...parts,
    ...own,
    ...regions,
    maps: { own, frame: frame && placed(frame) },
    count: trimmed.length,
    labels: trimmed,
    ...grouped(categories),
    links,
    prominence: prominenceOf(trimmed, links),
    boilerplate: boilerplateOf(trimmed, positions),
  };
}

/** The layer on one of its maps; on its own if it is not in a frame. */
export function onMap(layer: Layer, map: keyof Layer["maps"]): Layer {
  return { ...layer, ...(layer.maps[map] ?? layer.maps.own) };
}

export function isInFrame({ maps, positions }: Layer): boolean {
  return positions === maps.frame?.positions;
}

/** Throws ContractError, with the file's `name`, if a coordinate of the features `index` cannot be drawn. */
export function checkPositions(positions: ArrayLike<number>, index: Uint32Array, name: string): void {
  for (let at = 0; at < positions.length; at++) {
    if (Math.abs(positions[at]!) <= LARGEST_COORDINATE) continue;
    const where = `${"xyz"[at % 3]} of feature ${index[Math.floor(at / 3)]}`;
    throw new ContractError(
      `${name}: ${where} is ${positions[at]}; coordinates must lie within ±${LARGEST_COORDINATE}`,
    );
  }
}

/** The layer of a layer-N.json. Throws ContractError, with the file's `name`, if typed arrays cannot hold it. */
export function layerOfGraph(file: LayerFile, name: string): Layer {
  const { metadata, nodes, edges } = file;
  const { nodeFacts: facts = {}, regions = [] } = metadata;
  // The workflow names regions there where labels bring no categories.
  const named = new Set(regions.map(({ name }) => name));
  const index = Uint32Array.from(nodes, (node) => node.featureId.index);
  const positions = nodes.flatMap((node) => node.position);
  checkPositions(positions, index, name);
  const nodeOf = new Map(nodes.map(({ id }, node) => [id, node]));
  const twice = nodes.find(({ id }, node) => nodeOf.get(id) !== node);
  if (twice) throw new ContractError(`${name}: the id ${twice.id} occurs twice`);
  const end = (id: string): number => {
    const node = nodeOf.get(id);
    if (node === undefined) throw new ContractError(`${name}: a link ends at ${id}, which is no node`);
    return node;
  };
  return layerOf({
    modelId: metadata.modelId,
    displayName: metadata.displayName ?? metadata.modelId,
    layer: metadata.layers[0],
    neuronpedia: metadata.neuronpedia ?? null,
    deadCount: metadata.deadCount,
    index,
    labels: nodes.map(({ label }) => label ?? null),
    categories: nodes.map(({ category }) => (named.has(category) ? null : (category ?? null))),
    regions,
    regionIds: facts.region ?? nodes.map(() => null),
    density: numbers(facts.density),
    maxActivation: numbers(facts.maxActivation),
    kept: numbers(facts.kept),
    positions: Float32Array.from(positions),
    edges: {
      source: Uint32Array.from(edges, (edge) => end(edge.source)),
      target: Uint32Array.from(edges, (edge) => end(edge.target)),
      weight: Float32Array.from(edges, (edge) => edge.weight),
    },
    nearest: null,
    frame: null,
    passage: null,
  });
}

export function linkCount(layer: Layer, node: number): number {
  return layer.links.offset[node + 1]! - layer.links.offset[node]!;
}

/** A node's links or stored neighbours, strongest first. */
export function neighborsOf(links: Links, node: number): { node: number; cosine: number }[] {
  const [from, to] = [links.offset[node]!, links.offset[node + 1]!];
  return Array.from(links.neighbor.subarray(from, to), (other, at) => ({
    node: other,
    cosine: links.weight[from + at]!,
  }));
}

/** The node of a feature index, or null if there is none: dead features, and indexes beyond the SAE's width. */
export function nodeOfFeature(layer: Layer, index: number): number | null {
  const node = layer.index.indexOf(index);
  return node < 0 ? null : node;
}

/** The `k` nodes nearest to `node` in the map, nearest first, itself excluded. */
export function nearestNodes(layer: Layer, node: number, k: number): number[] {
  const { positions, count } = layer;
  const x = positions[3 * node]!;
  const y = positions[3 * node + 1]!;
  const z = positions[3 * node + 2]!;
  const nearest: { node: number; distance: number }[] = [];
  for (let other = 0; other < count; other++) {
    if (other === node) continue;
    const distance =
      (positions[3 * other]! - x) ** 2 +
      (positions[3 * other + 1]! - y) ** 2 +
      (positions[3 * other + 2]! - z) ** 2;
    if (nearest.length === k && distance >= nearest[k - 1]!.distance) continue;
    let at = nearest.length;
    while (at > 0 && nearest[at - 1]!.distance > distance) at--;
    nearest.splice(at, 0, { node: other, distance });
    if (nearest.length > k) nearest.pop();
  }
  return nearest.map((entry) => entry.node);
}

/** The memory of all typed arrays in `value`, which can be moved to another thread instead of being copied. */
export function transferables(value: object): Transferable[] {
  const buffers = new Set<ArrayBufferLike>();
  const collect = (part: unknown) => {
    if (ArrayBuffer.isView(part)) buffers.add(part.buffer);
    else if (part !== null && typeof part === "object" && !Array.isArray(part))
      Object.values(part).forEach(collect);
  };
  collect(value);
  return [...buffers] as ArrayBuffer[];
}

function linksOf(count: number, edges: Layer["edges"]): Links {
  const { source, target, weight } = edges;
  const offset = new Uint32Array(count + 1);
  for (let edge = 0; edge < weight.length; edge++) {
    offset[source[edge]! + 1]! += 1;
    offset[target[edge]! + 1]! += 1;
  }
  for (let node = 0; node < count; node++) offset[node + 1]! += offset[node]!;
  const links = {
    offset,
    neighbor: new Uint32Array(2 * weight.length),
    weight: new Float32Array(2 * weight.length),
  };
  const next = offset.slice(0, count);
  const add = (from: number, to: number, cosine: number) => {
    const at = next[from]!++;
    links.neighbor[at] = to;
    links.weight[at] = cosine;
  };
  for (const edge of strongestFirst(weight)) {
    add(source[edge]!, target[edge]!, weight[edge]!);
    add(target[edge]!, source[edge]!, weight[edge]!);
  }
  return links;
}

/** Edges by falling weight, 0 to 1: sorted as numbers, several times as fast as by a comparison of two edges. */
function strongestFirst(weight: Float32Array): Uint32Array {
  // The bits of floating-point numbers of 0 or more rise with their value, to 0x3f800000 for 1: 30 bits. 23 are left
  // for the edge, which breaks ties.
  const bits = new Uint32Array(weight.buffer, weight.byteOffset, weight.length);
  const keys = new Float64Array(bits.length);
  for (let edge = 0; edge < keys.length; edge++) keys[edge] = (0x3f800000 - bits[edge]!) * 2 ** 23 + edge;
  keys.sort();
  const edges = new Uint32Array(keys.length);
  for (let at = 0; at < edges.length; at++) edges[at] = keys[at]! % 2 ** 23;
  return edges;
}

/**
 * Labelled nodes by the strength of their links, then the unlabelled.
 *
 * Three kinds of labels rank lower: those such as "piece: -tion" or "mixed: …", which stand for a lack of plain
 * words, those that begin with punctuation, and sentences, which are hard to read among points.
 */
function prominenceOf(labels: (string | null)[], links: Links): Uint32Array {
  const score = Float32Array.from(labels, (label, node) => {
    if (label === null) return -1;
    let strength = 0.1;
    for (let at = links.offset[node]!; at < links.offset[node + 1]!; at++) strength += links.weight[at]!;
    const plain = /^\p{L}+:|^[^;]{0,2}[^\p{L}\p{N}]/u.test(label) ? 0.2 : 1;
    return strength * plain * Math.min(1, 32 / label.length) ** 0.5;
  });
  return Uint32Array.from(score, (_, node) => node).sort((a, b) => score[b]! - score[a]! || a - b);
}

function grouped(names: (string | null)[]): Pick<Layer, "categories" | "category"> {
  const counts = new Map<string, number>();
  for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
  const categories = [...counts.keys()].sort((a, b) => counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1));
  const positions = new Map(categories.map((category, at) => [category, at]));
  return {
    categories,
    category: Int16Array.from(names, (name) => (name ? positions.get(name)! : -1)),
  };
}

export function numbers(values: (number | null)[] | null | undefined): Float32Array | null {
  return values ? Float32Array.from(values, (value) => value ?? Number.NaN) : null;
}

function extent(positions: Float32Array): Pick<Layer, "radius" | "center"> {
  const min = [Infinity, Infinity, Infinity];
  const max = [-Infinity, -Infinity, -Infinity];
  for (let at = 0; at < positions.length; at++) {
    min[at % 3] = Math.min(min[at % 3]!, positions[at]!);
    max[at % 3] = Math.max(max[at % 3]!, positions[at]!);
  }
  const center = min.map((low, axis) => (low + max[axis]!) / 2) as [number, number, number];
  const radius = Math.max(...max.map((high, axis) => (high - min[axis]!) / 2), 1);
  return { radius, center };
}
