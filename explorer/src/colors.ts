/**
 * What a point's colour means.
 *
 * Quantities use viridis and cividis, whose lightness rises evenly, and groups the palette of Okabe and Ito:
 * colour-blind people can distinguish them.
 */
import type { Layer } from "./data/layer";
import { type Axis, axisOf, QUANTITIES, type Quantity, SCALES, type Scale } from "./data/quantities";
import { partsOf } from "./data/regions";
import { SIMILARITY, similarities } from "./data/similarity";
import { counted } from "./data/text";

export const COLORINGS = [
  "links",
  "region",
  "labelled",
  "similarity",
  "density",
  "activation",
  "kept",
  "track",
  "category",
  "index",
] as const;
export type Coloring = (typeof COLORINGS)[number];
export type Theme = "dark" | "light";

export const COLORING_NAMES: Record<Coloring, string> = {
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
};

export type Legend =
  | {
      kind: "ramp";
      title: string;
      gradient: string[];
      ticks: string[];
      missing: Swatch | null;
      /** What the colours show, and how many features have each; null for what cannot be filtered. */
      histogram: { quantity: Quantity; axis: Axis } | null;
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

const VIRIDIS = [
  "440154",
  "482878",
  "3e4a89",
  "31688e",
  "26828e",
  "1f9e89",
  "35b779",
  "6ece58",
  "b5de2b",
  "fde725",
];
const CIVIDIS = [
  "00224e",
  "123570",
  "3b496c",
  "575d6d",
  "707173",
  "8a8678",
  "a59c74",
  "c3b369",
  "e1cc55",
  "fee838",
];
const OKABE_ITO = ["56b4e9", "e69f00", "009e73", "cc79a7", "d55e00", "0072b2", "f0e442"];
const MISSING: Record<Theme, string> = { dark: "5b6475", light: "b3b1aa" };
// The dark end of a ramp is lost on a dark page, the light end on a light one.
const RANGE: Record<Theme, [number, number]> = { dark: [0.2, 1], light: [0, 0.86] };

/** The colourings for which this layer has data. */
export function availableColorings(layer: Layer): Coloring[] {
  return COLORINGS.filter((coloring) => {
    if (isQuantity(coloring)) return SCALES[coloring].of(layer) !== null;
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
  like: Layer | null = null,
): Colored {
  const { count } = layer;
  switch (coloring) {
    case "region":
      return largestRegions(layer, theme);
    case "similarity": {
      if (selected === null) return groups(count, () => -1, [], "no feature selected", theme, "Similarity");
      const cosines = similarities(layer, selected);
      return ramp(count, (node) => cosines[node]!, SIMILARITY, VIRIDIS, theme);
    }
    case "labelled":
      return groups(
        count,
        (node) => (layer.labels[node] === null ? -1 : 0),
        ["labelled"],
        "no label",
        theme,
        "Label",
      );
    case "category":
      return groups(
        count,
        (node) => layer.category[node]!,
        layer.categories,
        "no category",
        theme,
        "Category",
      );
    default: {
      const stops = coloring === "index" ? CIVIDIS : VIRIDIS;
      const of = SCALES[coloring].of;
      const axis =
        like && of(like) && axisOf(positionsOf(like.count, of(like)!, SCALES[coloring]), SCALES[coloring]);
      return ramp(count, of(layer)!, SCALES[coloring], stops, theme, coloring, axis);
    }
  }
}

function isQuantity(coloring: Coloring): coloring is Quantity {
  return (QUANTITIES as readonly string[]).includes(coloring);
}

function ramp(
  count: number,
  quantityOf: (node: number) => number,
  scale: Scale,
  hexStops: string[],
  theme: Theme,
  quantity: Quantity | null = null,
  wanted: Axis | null = null,
): Colored {
  const positions = positionsOf(count, quantityOf, scale);
  const axis = wanted ?? axisOf(positions, scale);
  const missing = rgb(MISSING[theme]);
  const without = { color: css(missing), name: scale.missing };
  const { title } = scale;
  if (axis === null) {
    const colors = new Uint8Array(3 * count);
    for (let node = 0; node < count; node++) colors.set(missing, 3 * node);
    return { colors, legend: { kind: "groups", title, groups: [{ ...without, count }] } };
  }
  const stops = hexStops.map(rgb);
  const [from, to] = RANGE[theme];
  const colorAt = (position: number): Rgb => {
    if (!(position > -Infinity)) return missing;
    const share = Math.min(1, Math.max(0, (position - axis.low) / (axis.high - axis.low || 1)));
    return mix(stops, from + share * (to - from));
  };
  const colors = new Uint8Array(3 * count);
  let missed = 0;
  for (let node = 0; node < count; node++) {
    if (!(positions[node]! > -Infinity)) missed++;
    colors.set(colorAt(positions[node]!), 3 * node);
  }
  return {
    colors,
    legend: {
      kind: "ramp",
      title,
      // As the bars of the histogram above it.
      gradient: axis.edges.map((value) => css(colorAt(scale.scale(value)))),
      ticks: axis.ticks.map(scale.format),
      missing: missed > 0 ? without : null,
      histogram: quantity && { quantity, axis },
    },
  };
}

function positionsOf(count: number, quantityOf: (node: number) => number, { scale }: Scale): Float64Array {
  return Float64Array.from({ length: count }, (_, node) => scale(quantityOf(node)));
}

function groups(
  count: number,
  groupOf: (node: number) => number,
  names: string[],
  without: string,
  theme: Theme,
  title: string,
): Colored {
  const palette = OKABE_ITO.map(rgb);
  const missing = rgb(MISSING[theme]);
  const shown = names.length > palette.length ? palette.length - 1 : names.length;
  const counts = new Array<number>(shown + 2).fill(0);
  const colors = new Uint8Array(3 * count);
  for (let node = 0; node < count; node++) {
    const group = groupOf(node);
    const slot = group < 0 ? shown + 1 : Math.min(group, shown);
    counts[slot]! += 1;
    colors.set(group < 0 ? missing : palette[slot]!, 3 * node);
  }
  const entries = names
    .slice(0, shown)
    .map((name, slot) => ({ color: css(palette[slot]!), name, count: counts[slot]! }));
  if (names.length > shown) {
    const others = `${names.length - shown} others`;
    entries.push({ color: css(palette[shown]!), name: others, count: counts[shown]! });
  }
  if (counts[shown + 1]! > 0) entries.push({ color: css(missing), name: without, count: counts[shown + 1]! });
  return { colors, legend: { kind: "groups", title, groups: entries } };
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
