/** The regions of a map: its named parts at three levels, each inside its parent. docs/regions.md says how they are made. */
import type { Layer } from "./layer";
import { counted, headline } from "./text";

export interface Region {
  /** The parent's id and a number: r2, r2.5, r2.5.1. */
  id: string;
  /** 1 to 3. */
  level: number;
  /** Position of the region around it in the list of regions; -1 at level 1. */
  parent: number;
  /** In that list, the regions inside it come next, and end before this position. */
  end: number;
  name: string | null;
  /** The node that stands for it. */
  representative: number;
  /** Number of its nodes. */
  size: number;
}

/** What the files say of a region. */
export interface ListedRegion {
  id: string;
  name?: string;
  /** Feature index. */
  representative: number;
}

/** Where the regions are on one map. */
export interface Areas {
  /** (3 * regions,) x, y, z: the mean of the nodes. */
  center: Float32Array;
  /** (regions,) distance from there within which nine tenths of the nodes lie. */
  radius: Float32Array;
}

export interface Regions {
  /** Each before those inside it, largest first; empty where the map is not divided. */
  regions: Region[];
  /** (count,) the position in `regions` of the smallest region around each node; -1 if there is none. */
  regionOf: Int32Array;
}

/** Each before those inside it; in each, by number. */
const IN_ORDER = new Intl.Collator("en", { numeric: true }).compare;

/** `ids`: of the smallest region around each node. Regions without a node are left out. */
export function regionsOf(
  listed: ListedRegion[],
  ids: ArrayLike<string | null>,
  index: Uint32Array,
): Regions {
  const entries = new Map(listed.map((entry) => [entry.id, entry]));
  const sizes = new Map<string, number>();
  const first = new Map<string, number>();
  for (let node = 0; node < ids.length; node++) {
    for (let id = ids[node] ?? null; id !== null; id = parentOf(id)) {
      sizes.set(id, (sizes.get(id) ?? 0) + 1);
      if (!first.has(id)) first.set(id, node);
    }
  }
  const sorted = [...sizes.keys()].filter((id) => entries.has(id)).sort(IN_ORDER);
  const positions = new Map(sorted.map((id, at) => [id, at]));
  const regions = sorted.map((id, at): Region => {
    const { name, representative } = entries.get(id)!;
    // Most often the node of the same number: only dead features have none.
    const node = index[representative] === representative ? representative : index.indexOf(representative);
    let end = at + 1;
    while (sorted[end]?.startsWith(`${id}.`)) end++;
    return {
      id,
      level: id.split(".").length,
      parent: positions.get(parentOf(id) ?? "") ?? -1,
      end,
      name: name?.trim() || null,
      representative: node < 0 ? first.get(id)! : node,
      size: sizes.get(id)!,
    };
  });
  return { regions, regionOf: Int32Array.from(ids, (id) => positions.get(id ?? "") ?? -1) };
}

export function areasOf({ regions, regionOf }: Regions, positions: Float32Array): Areas {
  const center = new Float32Array(3 * regions.length);
  const radius = new Float32Array(regions.length);
  const distances = regions.map(({ size }) => new Float32Array(size));
  const filled = new Uint32Array(regions.length);
  // Three regions per node: plain loops take a third of the time of callbacks.
  for (let node = 0; node < regionOf.length; node++) {
    for (let region = regionOf[node]!; region >= 0; region = regions[region]!.parent) {
      const { size } = regions[region]!;
      for (let axis = 0; axis < 3; axis++) {
        center[3 * region + axis]! += positions[3 * node + axis]! / size;
      }
    }
  }
  for (let node = 0; node < regionOf.length; node++) {
    for (let region = regionOf[node]!; region >= 0; region = regions[region]!.parent) {
      let squared = 0;
      for (let axis = 0; axis < 3; axis++) {
        squared += (positions[3 * node + axis]! - center[3 * region + axis]!) ** 2;
      }
      distances[region]![filled[region]!++] = Math.sqrt(squared);
    }
  }
  distances.forEach((values, region) => {
    radius[region] = values.sort()[Math.ceil(0.9 * values.length) - 1]!;
  });
  return { center, radius };
}

/** The nodes in a region, those whose labels matter most first. */
export function nodesIn({ prominence, regions, regionOf }: Layer, region: number): number[] {
  const { end } = regions[region]!;
  return Array.from(prominence.filter((node) => regionOf[node]! >= region && regionOf[node]! < end));
}

/** All regions around nodes that are shown, of all levels. */
export function regionsAround(
  { regions, regionOf }: Regions,
  isShown: (node: number) => boolean,
): Set<number> {
  const around = new Set<number>();
  regionOf.forEach((smallest, node) => {
    if (!isShown(node)) return;
    for (let at = smallest; at >= 0 && !around.has(at); at = regions[at]!.parent) around.add(at);
  });
  return around;
}

/** The regions directly inside a region, or those of level 1. */
export function partsOf({ regions }: Regions, region: number | null): number[] {
  const parts: number[] = [];
  const end = region === null ? regions.length : regions[region]!.end;
  for (let at = region === null ? 0 : region + 1; at < end; at = regions[at]!.end) parts.push(at);
  return parts;
}

/** A region and those around it, the largest first. */
export function pathOf({ regions }: Regions, region: number): number[] {
  const path: number[] = [];
  for (let at = region; at >= 0; at = regions[at]!.parent) path.unshift(at);
  return path;
}

/** The name of a region; of one without, the feature that stands for it. */
export function nameOf(layer: Layer, region: number): string {
  const { name, representative } = layer.regions[region]!;
  if (name !== null) return name;
  const label = layer.labels[representative];
  return `around ${label == null ? `#${layer.index[representative]}` : headline(label, layer.boilerplate)}`;
}

/** For headings: "96 features around music", or the name. */
export function titleOf(layer: Layer, region: number): string {
  const { name, size } = layer.regions[region]!;
  return name ?? `${counted(size, "feature")} ${nameOf(layer, region)}`;
}

function parentOf(id: string): string | null {
  const end = id.lastIndexOf(".");
  return end < 0 ? null : id.slice(0, end);
}
