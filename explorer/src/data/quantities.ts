/** What is known of features as numbers: to colour them by, and to filter them. */
import { type Layer, linkCount } from "./layer";
import { similarities } from "./similarity";

export const QUANTITIES = ["links", "similarity", "density", "activation", "kept", "track", "index"] as const;
export type Quantity = (typeof QUANTITIES)[number];

/** How values are spread over a colour scale, and written. */
export interface Scale {
  title: string;
  /** What features are called that have no colour on the scale. */
  missing: string;
  /** True for whole numbers. */
  whole: boolean;
  /** Position on the scale: Infinity for its end; -Infinity for values below it, NaN for unknown ones. */
  scale: (value: number) => number;
  inverse: (position: number) => number;
  format: (value: number) => string;
  /** The value of a node, NaN where it is not known; null if none is known. `selected`: what similarity is measured from. */
  of: (layer: Layer, selected: number | null) => ((node: number) => number) | null;
}

const LINEAR = { missing: "not known", scale: (value: number) => value, inverse: (value: number) => value };
const WHOLE = { whole: true, format: (value: number) => Math.round(value).toLocaleString("en") };

export const SCALES: Record<Quantity, Scale> = {
  links: {
    ...WHOLE,
    title: "Links of a feature",
    missing: "no link",
    scale: (value) => (value > 0 ? Math.sqrt(value) : -Infinity),
    inverse: (value) => value ** 2,
    of: (layer) => (node) => linkCount(layer, node),
  },
  similarity: {
    ...LINEAR,
    title: "Cosine to the selected feature",
    missing: "not among the stored neighbours",
    whole: false,
    format: (value) => value.toFixed(2),
    of: (layer, selected) => valuesOf(selected === null ? null : similarities(layer, selected)),
  },
  density: {
    title: "Share of tokens that activate it",
    missing: "none, or not known",
    whole: false,
    scale: Math.log10,
    inverse: (value) => 10 ** value,
    format: formatShare,
    of: ({ density }) => valuesOf(density),
  },
  activation: {
    ...LINEAR,
    title: "Largest activation",
    whole: false,
    format: (value) => String(+value.toPrecision(3)),
    of: ({ maxActivation }) => valuesOf(maxActivation),
  },
  kept: {
    ...LINEAR,
    title: "Neighbours kept in the map",
    whole: false,
    format: formatShare,
    of: ({ kept }) => valuesOf(kept),
  },
  track: {
    ...LINEAR,
    ...WHOLE,
    title: "Layers on its track",
    of: ({ passage }) => valuesOf(passage?.length),
  },
  index: { ...LINEAR, ...WHOLE, title: "Feature index", of: ({ index }) => valuesOf(index) },
};

/** A share as a percentage that keeps two digits: 0.00123 gives "0.12 %". */
export function formatShare(share: number): string {
  return `${(100 * share).toLocaleString("en", { maximumSignificantDigits: 2 })} %`;
}

/** The values along a colour scale, and how many features have them. */
export interface Axis {
  /** Positions on the scale between which nearly all values lie. */
  low: number;
  high: number;
  /** The values at which the bars of the histogram begin, and where the last one ends. */
  edges: number[];
  /** By bar; the outermost of the scale hold what lies beyond its ends, too. */
  counts: number[];
  /** Values to write below it: at its beginning, in the middle, at its end. */
  ticks: number[];
}

const BARS = 44;

/** `positions`: of all values on the scale. Null if none has any. Values below the scale have a bar of their own. */
export function axisOf(positions: Float64Array, { whole, scale, inverse }: Scale): Axis | null {
  const sorted = positions.filter(Number.isFinite).sort();
  if (sorted.length === 0) return null;
  const occurring = sorted.filter((position, at) => position !== sorted[at - 1]);
  const few = occurring.length <= BARS;
  // Without the outermost 0.5 % of many on both sides, which would compress all others.
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  const [low, high] = few ? [at(0), at(1)] : [at(0.005), at(0.995)];
  const even = Array.from({ length: BARS + 1 }, (_, bar) => low + (bar / BARS) * (high - low));
  const edges = whole
    ? betweenWholeNumbers(even.map(inverse))
    : (few ? between(Array.from(occurring)) : even).map(inverse);
  const ends = edges.slice(1, -1).map(scale);
  const counts = new Array<number>(edges.length - 1).fill(0);
  let bar = 0;
  for (const position of sorted) {
    while (position >= ends[bar]!) bar++;
    counts[bar]! += 1;
  }
  const below = positions.reduce((count, position) => count + Number(position === -Infinity), 0);
  if (below > 0) {
    edges.unshift(whole ? edges[0]! - 1 : 0);
    counts.unshift(below);
  }
  const middle = (edges.length - 1) / 2;
  const [left, right] = [edges[Math.floor(middle)]!, edges[Math.ceil(middle)]!];
  const ticks = [below > 0 ? 0 : inverse(low), inverse((scale(left) + scale(right)) / 2), inverse(high)];
  return { low, high, edges, counts, ticks };
}

/** Bars that hold at least one whole number each, and none in part. */
function betweenWholeNumbers(edges: number[]): number[] {
  const inner = edges.slice(0, -1).map((edge) => Math.ceil(edge - 1e-6) - 0.5);
  return [...new Set([...inner, Math.round(edges.at(-1)!) + 0.5])];
}

/** A bar for each position. */
function between(positions: number[]): number[] {
  const [first, last] = [positions[0]!, positions.at(-1)!];
  const inner = positions.slice(1).map((position, at) => (positions[at]! + position) / 2);
  return [2 * first - (inner[0] ?? first), ...inner, 2 * last - (inner.at(-1) ?? last)];
}

function valuesOf(values: ArrayLike<number> | null | undefined): ((node: number) => number) | null {
  return values ? (node) => values[node]! : null;
}
