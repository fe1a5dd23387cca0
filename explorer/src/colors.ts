/**
 * What a point's colour means.
 *
 * Quantities use viridis and cividis, whose lightness rises evenly, and groups the palette of Okabe and Ito:
 * colour-blind people can distinguish them.
 */
import { type Layer, linkCount } from "./data/layer";
import { partsOf } from "./data/regions";
import { counted } from "./data/text";

export const COLORINGS = [
  "links",
  "region",
  "labelled",
  "density",
  "activation",
  "category",
  "index",
] as const;
export type Coloring = (typeof COLORINGS)[number];
export type Theme = "dark" | "light";

export const COLORING_NAMES: Record<Coloring, string> = {
  links: "Links",
  region: "Region",
  labelled: "Label or none",
  density: "Activation density",
  activation: "Largest activation",
  category: "Category",
  index: "Feature index",
};

export type Legend =
  | { kind: "ramp"; title: string; gradient: string[]; ticks: string[]; missing: Swatch | null }
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
    if (coloring === "density") return layer.density !== null;
    if (coloring === "activation") return layer.maxActivation !== null;
    if (coloring === "region") return layer.regions.length > 0;
    if (coloring === "category") return layer.categories.length > 0;
    return true;
  });
}

/** The chosen colouring, or links if this layer has no data for it. */
export function coloringOf(layer: Layer, chosen: Coloring): Coloring {
  return availableColorings(layer).includes(chosen) ? chosen : "links";
}

export function colorLayer(layer: Layer, coloring: Coloring, theme: Theme): Colored {
  switch (coloring) {
    case "links":
      return quantity(layer.count, (node) => linkCount(layer, node) || Number.NaN, {
        title: "Links of a feature",
        missing: "no link",
        stops: VIRIDIS,
        theme,
        scale: Math.sqrt,
        inverse: (value) => value ** 2,
        format: (value) => String(Math.round(value)),
      });
    case "region":
      return largestRegions(layer, theme);
    case "density":
      return quantity(layer.count, (node) => layer.density![node]! || Number.NaN, {
        title: "Share of tokens that activate it",
        stops: VIRIDIS,
        theme,
        scale: Math.log10,
        inverse: (value) => 10 ** value,
        format: formatShare,
      });
    case "activation":
      return quantity(layer.count, (node) => layer.maxActivation![node]!, {
        title: "Largest activation",
        stops: VIRIDIS,
        theme,
        scale: (value) => value,
        inverse: (value) => value,
        format: (value) => String(+value.toPrecision(3)),
      });
    case "index":
      return quantity(layer.count, (node) => layer.index[node]!, {
        title: "Feature index",
        stops: CIVIDIS,
        theme,
        scale: (value) => value,
        inverse: (value) => value,
        format: (value) => Math.round(value).toLocaleString("en"),
      });
    case "labelled":
      return groups(
        layer.count,
        (node) => (layer.labels[node] === null ? -1 : 0),
        ["labelled"],
        "no label",
        theme,
        "Label",
      );
    case "category":
      return groups(
        layer.count,
        (node) => layer.category[node]!,
        layer.categories,
        "no category",
        theme,
        "Category",
      );
  }
}

/** A share of tokens as a percentage that keeps two digits: 0.00123 gives "0.12 %". */
export function formatShare(share: number): string {
  return `${(100 * share).toLocaleString("en", { maximumSignificantDigits: 2 })} %`;
}

interface Ramp {
  title: string;
  /** What a feature without a value is called. */
  missing?: string;
  stops: string[];
  theme: Theme;
  scale: (value: number) => number;
  inverse: (value: number) => number;
  format: (value: number) => string;
}

function quantity(count: number, quantityOf: (node: number) => number, ramp: Ramp): Colored {
  const scaled = Float64Array.from({ length: count }, (_, node) => ramp.scale(quantityOf(node)));
  const [low, high] = spread(scaled);
  const stops = ramp.stops.map(rgb);
  const [from, to] = RANGE[ramp.theme];
  const missing = rgb(MISSING[ramp.theme]);
  const colors = new Uint8Array(3 * count);
  let missed = 0;
  for (let node = 0; node < count; node++) {
    const value = scaled[node]!;
    if (!Number.isFinite(value)) missed++;
    const share = Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
    colors.set(Number.isFinite(value) ? mix(stops, from + share * (to - from)) : missing, 3 * node);
  }
  const without = { color: css(missing), name: ramp.missing ?? "not known" };
  if (missed === count) {
    return { colors, legend: { kind: "groups", title: ramp.title, groups: [{ ...without, count }] } };
  }
  const gradient = Array.from({ length: 9 }, (_, at) => css(mix(stops, from + (at / 8) * (to - from))));
  const ticks = [low, (low + high) / 2, high].map((value) => ramp.format(ramp.inverse(value)));
  return {
    colors,
    legend: { kind: "ramp", title: ramp.title, gradient, ticks, missing: missed > 0 ? without : null },
  };
}

/** The range of the finite values without the outermost 0.5 % on both sides, which would compress all others. */
function spread(values: Float64Array): [number, number] {
  const sorted = values.filter(Number.isFinite).sort();
  if (sorted.length === 0) return [0, 1];
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))]!;
  return [at(0.005), at(0.995)];
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
