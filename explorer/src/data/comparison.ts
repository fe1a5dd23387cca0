/** Two layers side by side: which features of one go on in the other, and where they do not. */
import { isInFrame, type Layer, nodeOfFeature } from "./layer";
import { nodeOfTrack } from "./tracks";

/** A region with more features of one layer only than chance would put there. */
export interface Changed {
  region: number;
  size: number;
  /** How many of these are on no track that reaches the other layer. */
  alone: number;
}

/** What one layer has that another does not. */
export interface Alone {
  /** Nodes on no track that reaches the other layer, those whose labels matter most first. */
  nodes: number[];
  /** Most surprising first; none lies in another. */
  regions: Changed[];
}

/** Standard deviations above the whole layer's share. */
const SURPRISING = 2;
/** Features: of smaller regions, shares say little. */
const SMALLEST = 10;

/** True if the same position means the same on both maps. */
export function inOneFrame(a: Layer, b: Layer): boolean {
  return a.modelId === b.modelId && isInFrame(a) && isInFrame(b);
}

/** By node of `from`: the node of `to` on the same track, or -1. Null where no tracks join the layers. */
export function counterparts(from: Layer, to: Layer): Int32Array | null {
  if (from.modelId !== to.modelId || !from.passage || !to.passage) return null;
  const nodes = new Map(Array.from(to.passage.track, (track, node) => [track, node]));
  return from.passage.track.map((track) => nodes.get(track) ?? -1);
}

export function aloneIn(layer: Layer, counterpart: Int32Array): Alone {
  const isAlone = (node: number) => counterpart[node]! < 0;
  const nodes = Array.from(layer.prominence.filter(isAlone));
  return { nodes, regions: changedRegions(layer, isAlone, nodes.length / layer.count) };
}

function changedRegions(layer: Layer, isAlone: (node: number) => boolean, share: number): Changed[] {
  const { regions, regionOf } = layer;
  const alone = new Uint32Array(regions.length);
  regionOf.forEach((smallest, node) => {
    if (!isAlone(node)) return;
    for (let region = smallest; region >= 0; region = regions[region]!.parent) alone[region]! += 1;
  });
  const surprise = (region: number) => {
    const { size } = regions[region]!;
    return size < SMALLEST ? 0 : (alone[region]! - size * share) / Math.sqrt(size * share * (1 - share) || 1);
  };
  const sorted = [...regions.keys()].sort((a, b) => surprise(b) - surprise(a));
  const chosen: number[] = [];
  for (const region of sorted) {
    if (surprise(region) < SURPRISING) break;
    const nested = chosen.some((other) => isInside(layer, region, other) || isInside(layer, other, region));
    if (!nested) chosen.push(region);
  }
  return chosen.map((region) => ({ region, size: regions[region]!.size, alone: alone[region]! }));
}

function isInside({ regions }: Layer, region: number, around: number): boolean {
  return region > around && region < regions[around]!.end;
}

/** Where a feature is in another layer of its model. */
export type Relation =
  | { kind: "track"; node: number; cosine: number | null }
  /** The track does not reach that layer; `nearest` is known in adjacent layers. */
  | { kind: "none"; nearest: { node: number; cosine: number } | null };

/** Null where no tracks join the layers. `step`: how many mapped layers further `to` is. */
export function relationOf(from: Layer, node: number, to: Layer, step: number): Relation | null {
  if (from.modelId !== to.modelId || !from.passage || !to.passage) return null;
  const nearest = Math.abs(step) === 1 ? from.passage[step > 0 ? "next" : "previous"] : null;
  // No layer has a feature -1.
  const there = nearest && nodeOfFeature(to, nearest.index[node]!);
  const close = nearest && there !== null ? { node: there, cosine: nearest.cosine[node]! } : null;
  const onTrack = nodeOfTrack(to, from.passage.track[node]!);
  if (onTrack === null) return { kind: "none", nearest: close };
  return { kind: "track", node: onTrack, cosine: close?.node === onTrack ? close.cosine : null };
}
