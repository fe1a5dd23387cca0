/**
 * What a point's colour means.
 *
 * Quantities use viridis and cividis, whose lightness rises evenly, and groups the palette of Okabe and Ito:
 * colour-blind people can distinguish them.
 */
import type { Layer } from "./data/layer";
import { type Axis, axisOf, QUANTITIES, type Quantity, SCALES } from "./data/quantities";
import { partsOf } from "./data/regions";
import { counted } from "./data/text";

export const COLORING_NAMES = {
  links: "Links",
  region: "Region",
  labelled: "Label or none",
  similarity: "Similarity",
  density: "Activation density",
  activation: "Largest activation",
  kept: "Kept neighbours",
  track: "Track length",
  category: "Category",
  index: "Feature index",
} as const;
export type Coloring = keyof typeof COLORING_NAMES;
export const COLORINGS = Object.keys(COLORING_NAMES) as Coloring[];
export type Theme = "dark" | "light";

export type Legend =
  | {
      kind: "ramp";
      title: string;
      gradient: string[];
      ticks: string[];
      missing: Swatch | null;
      /** What the colours show, and how many features have each. */
      histogram: { quantity: Quantity; axis: Axis };
    }
  | { kind: "groups"; title: string; groups: (Swatch & { count: number })[] };

interface Swatch {
  /** A colour, or for several of them an image, as CSS. */
  color: string;
  name: string;
}

export interface Colored {
  /** (3 * count,) red, green, blue, 0-255. */
  colors: Uint8Array;
  legend: Legend;
}

const VIRIDIS = "440154 482878 3e4a89 31688e 26828e 1f9e89 35b779 6ece58 b5de2b fde725".split(" ");
const CIVIDIS = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838".split(" ");
const OKABE_ITO = "56b4e9 e69f00 009e73 cc79a7 d55e00 0072b2 f0e442".split(" ");
/** The palette's black, which a dark page would swallow. */
const EIGHTH: Record<Theme, string> = { dark: "f2f2f2", light: "000000" };
const OTHERS: Record<Theme, string> = { dark: "8f98a8", light: "86847d" };
const MISSING: Record<Theme, string> = { dark: "5b6475", light: "b3b1aa" };
// The dark end of a ramp is lost on a dark page, the light end on a light one.
const RANGE: Record<Theme, [number, number]> = { dark: [0.2, 1], light: [0, 0.86] };

/** The colourings for which this layer has data. */
export function availableColorings(layer: Layer): Coloring[] {
  return COLORINGS.filter((coloring) => {
    // Of what is selected later.
    if (coloring === "similarity") return true;
    if (isQuantity(coloring)) return SCALES[coloring].of(layer, null) !== null;
    if (coloring === "region") return layer.regions.length > 0;
    if (coloring === "category") return layer.categories.length > 0;
    return true;
  });
}

/** The chosen colouring, or links if this layer has no data for it. */
export function coloringOf(layer: Layer, chosen: Coloring): Coloring {
  return availableColorings(layer).includes(chosen) ? chosen : "links";
}

/**
 * `selected`: the node that similarity is measured from; `like`: the layer whose scale is used, so that a colour means the
 * same on both.
 */
export function colorLayer(
  layer: Layer,
  coloring: Coloring,
  theme: Theme,
  selected: number | null = null,
  like = layer,
): Colored {
  const { count, labels, categories, category } = layer;
  if (coloring === "region") return largestRegions(layer, theme);
  if (coloring === "category") {
    const of = (node: number) => category[node]!;
    return groups(count, theme, { title: "Category", names: categories, without: "no category", of });
  }
  if (coloring === "labelled") {
    const of = (node: number) => (labels[node] === null ? -1 : 0);
    return groups(count, theme, { title: "Label", names: ["labelled"], without: "no label", of });
  }
  const scale = SCALES[coloring];
  const positions = positionsOf(layer, coloring, selected);
  const others = like === layer ? null : positionsOf(like, coloring, null);
  const axis = (others && axisOf(others, scale)) ?? (positions && axisOf(positions, scale));
  if (positions && axis) return ramp(positions, axis, coloring, theme);
  const [title, without] = positions ? [scale.title, scale.missing] : ["Similarity", "no feature selected"];
  return groups(count, theme, { title, names: [], without, of: () => -1 });
}

function isQuantity(coloring: Coloring): coloring is Quantity {
  return (QUANTITIES as readonly string[]).includes(coloring);
}

/** The values of all nodes on the scale of a quantity; null if the layer does not know it. */
function positionsOf(layer: Layer, quantity: Quantity, selected: number | null): Float64Array | null {
  const { of, scale } = SCALES[quantity];
  const quantityOf = of(layer, selected);
  return quantityOf && Float64Array.from({ length: layer.count }, (_, node) => scale(quantityOf(node)));
}

function ramp(positions: Float64Array, axis: Axis, quantity: Quantity, theme: Theme): Colored {
  const { title, missing: name, scale, format } = SCALES[quantity];
  const missing = rgb(MISSING[theme]);
  const stops = (quantity === "index" ? CIVIDIS : VIRIDIS).map(rgb);
  const [from, to] = RANGE[theme];
  const isMissing = (position: number) => !(position > -Infinity);
  const colorAt = (position: number): Rgb => {
    if (isMissing(position)) return missing;
    const share = Math.min(1, Math.max(0, (position - axis.low) / (axis.high - axis.low || 1)));
    return mix(stops, from + share * (to - from));
  };
  const colors = new Uint8Array(3 * positions.length);
  positions.forEach((position, node) => {
    colors.set(colorAt(position), 3 * node);
  });
  return {
    colors,
    legend: {
      kind: "ramp",
      title,
      // As the bars of the histogram above it.
      gradient: axis.edges.map((value) => css(colorAt(scale(value)))),
      ticks: axis.ticks.map(format),
      missing: positions.some(isMissing) ? { color: css(missing), name } : null,
      histogram: { quantity, axis },
    },
  };
}

interface Grouping {
  title: string;
  /** Of the groups, largest first. */
  names: string[];
  /** What nodes in no group are called. */
  without: string;
  /** The group of a node; -1 for none. */
  of: (node: number) => number;
}

function groups(count: number, theme: Theme, { title, names, without, of }: Grouping): Colored {
  const palette = [...OKABE_ITO, EIGHTH[theme]].map(rgb).slice(0, names.length);
  const others = palette.length;
  const none = others + 1;
  const slots = [...palette, rgb(OTHERS[theme]), rgb(MISSING[theme])];
  const listed = [...names.slice(0, others), counted(names.length - others, "other"), without];
  const counts = slots.map(() => 0);
  const colors = new Uint8Array(3 * count);
  for (let node = 0; node < count; node++) {
    const group = of(node);
    const slot = group < 0 ? none : Math.min(group, others);
    counts[slot]! += 1;
    colors.set(slots[slot]!, 3 * node);
  }
  const entries = slots.map((color, slot) => ({
    color: css(color),
    name: listed[slot]!,
    count: counts[slot]!,
  }));
  return { colors, legend: { kind: "groups", title, groups: entries.filter((entry) => entry.count > 0) } };
}

/** The regions of level 1, such that those of one colour lie far apart; the legend names the largest. */
function largestRegions(layer: Layer, theme: Theme): Colored {
  const palette = OKABE_ITO.map(rgb);
  const missing = rgb(MISSING[theme]);
  const slots = farApart(layer, palette.length);
  /** By region, of any level. */
  const slotOf: number[] = [];
  layer.regions.forEach(({ parent }, region) => {
    slotOf[region] = slots.get(region) ?? slotOf[parent]!;
  });
  const colors = new Uint8Array(3 * layer.count);
  let outside = 0;
  layer.regionOf.forEach((region, node) => {
    const slot = slotOf[region];
    if (slot === undefined) outside++;
    colors.set(slot === undefined ? missing : palette[slot]!, 3 * node);
  });
  const named = [...slots.keys()].filter((region) => layer.regions[region]!.name !== null);
  const listed = named.slice(0, palette.length).map((region) => {
    const { name, size } = layer.regions[region]!;
    return { color: css(palette[slots.get(region)!]!), name: name!, count: size };
  });
  const others = slots.size - listed.length;
  if (others > 0) {
    const shares = palette.map(
      (color, at) =>
        `${css(color)} ${(360 * at) / palette.length}deg ${(360 * (at + 1)) / palette.length}deg`,
    );
    const count = layer.count - outside - listed.reduce((sum, group) => sum + group.count, 0);
    const name = listed.length > 0 ? counted(others, "other") : counted(others, "region");
    listed.push({ color: `conic-gradient(${shares.join(", ")})`, name, count });
  }
  if (outside > 0) listed.push({ color: css(missing), name: "no region", count: outside });
  return { colors, legend: { kind: "groups", title: "Region", groups: listed } };
}

/**
 * For each region of level 1 one of `count` colours: the one of which the next region is furthest. The named ones, largest
 * first, come before the others, so that the first `count` of them differ.
 */
function farApart(layer: Layer, count: number): Map<number, number> {
  const { center, radius } = layer.maps.own.areas;
  const gap = (a: number, b: number) => {
    let squared = 0;
    for (let axis = 0; axis < 3; axis++) squared += (center[3 * a + axis]! - center[3 * b + axis]!) ** 2;
    return Math.sqrt(squared) / (radius[a]! + radius[b]!);
  };
  const slots = new Map<number, number>();
  const apart = (region: number) => {
    const gaps = new Array<number>(count).fill(Infinity);
    for (const [other, slot] of slots) gaps[slot] = Math.min(gaps[slot]!, gap(region, other));
    return gaps.indexOf(Math.max(...gaps));
  };
  const unnamed = (region: number) => Number(layer.regions[region]!.name === null);
  for (const region of partsOf(layer, null).sort((a, b) => unnamed(a) - unnamed(b))) {
    slots.set(region, apart(region));
  }
  return slots;
}

type Rgb = [number, number, number];

function rgb(hex: string): Rgb {
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as Rgb;
}

function css(color: Rgb): string {
  return `rgb(${color.map(Math.round).join(" ")})`;
}

function mix(stops: Rgb[], share: number): Rgb {
  const at = Math.min(share * (stops.length - 1), stops.length - 1.001);
  const low = stops[Math.floor(at)]!;
  const high = stops[Math.floor(at) + 1]!;
  return low.map((value, channel) => value + (at % 1) * (high[channel]! - value)) as Rgb;
}
