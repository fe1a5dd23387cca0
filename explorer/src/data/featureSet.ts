/** Sets of features of one model, and their form in an address. */
import type { FeatureId } from "./tracks";

export interface FeatureSet {
  /** "" unless the visitor named it. */
  name: string;
  /** By layer, then by index, each once. */
  members: readonly FeatureId[];
}

export const EMPTY_SET: FeatureSet = { name: "", members: [] };

/** More features than any layer has; an address that names more is not one of ours. */
const MOST = 200_000;
/** Characters. Longer addresses are cut by programs that links are pasted into. */
const LONGEST = 6000;

/** The same for the same feature. */
export function keyOf({ layer, index }: FeatureId): string {
  return `${layer}:${index}`;
}

/** The indices of features, by layer. */
export function byLayer(features: readonly FeatureId[]): Map<number, number[]> {
  const layers = new Map<number, number[]>();
  for (const { layer, index } of features) {
    if (!layers.has(layer)) layers.set(layer, []);
    layers.get(layer)!.push(index);
  }
  return layers;
}

export function withFeatures(set: FeatureSet, added: readonly FeatureId[]): FeatureSet {
  const byKey = new Map(
    [...set.members, ...added].map(({ layer, index }) => [keyOf({ layer, index }), { layer, index }]),
  );
  const members = [...byKey.values()].sort((a, b) => a.layer - b.layer || a.index - b.index);
  return { ...set, members };
}

export function withoutFeatures(set: FeatureSet, removed: readonly FeatureId[]): FeatureSet {
  const keys = new Set(removed.map(keyOf));
  return { ...set, members: set.members.filter((member) => !keys.has(keyOf(member))) };
}

export function fitsAddress({ members }: FeatureSet): boolean {
  return formatMembers(members).length <= LONGEST;
}

/** "5:3-7,9;12:4": features 3 to 7 and 9 of layer 5, and feature 4 of layer 12. */
export function formatMembers(members: readonly FeatureId[]): string {
  return [...byLayer(members)].map(([layer, indices]) => `${layer}:${rangesOf(indices)}`).join(";");
}

/** Reads what `formatMembers` writes; none if it makes no sense. */
export function parseMembers(text: string): FeatureId[] {
  const members: FeatureId[] = [];
  for (const part of text.split(";")) {
    const [, layer, ranges] = /^(\d{1,3}):([\d,-]+)$/.exec(part) ?? [];
    if (layer === undefined) return [];
    for (const range of ranges!.split(",")) {
      const [, first, last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(range) ?? [];
      if (first === undefined || members.length + Number(last) - Number(first) >= MOST) return [];
      for (let index = Number(first); index <= Number(last); index++)
        members.push({ layer: Number(layer), index });
    }
  }
  return members;
}

/** Of ascending numbers: "3-7,9". */
function rangesOf(numbers: number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const range = ranges.at(-1);
    if (range && range[1] === number - 1) range[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(",");
}
