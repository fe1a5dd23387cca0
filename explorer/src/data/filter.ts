/** Which features are shown: those within the chosen ranges, without those that never fire. */
import type { Layer } from "./layer";
import { type Axis, QUANTITIES, type Quantity, SCALES } from "./quantities";

/** Both ends belong to it; null: no limit. */
export interface Range {
  low: number | null;
  high: number | null;
}

/** The features shown lie within all of these. A quantity that a layer does not know limits nothing. */
export type Filters = Readonly<Partial<Record<Quantity, Range>>>;

export const NO_FILTERS: Filters = {};

/** Share of tokens: features of a lower density never fire, for all that the measurement can tell. */
const SILENT_BELOW = Math.fround(1e-5);

/** False where the density is not known. */
export function isSilent({ density }: Layer, node: number): boolean {
  return density !== null && density[node]! < SILENT_BELOW;
}

/** (count,) 1 for each node that is shown; null if that is all of them. Compares in single precision, as values are. */
export function shownNodes(
  layer: Layer,
  filters: Filters,
  silentShown: boolean,
  selected: number | null = null,
): Uint8Array | null {
  const shown = new Uint8Array(layer.count).fill(1);
  for (const quantity of QUANTITIES) {
    const range = filters[quantity];
    const quantityOf = range && SCALES[quantity].of(layer, selected);
    if (!range || !quantityOf) continue;
    const [low, high] = [Math.fround(range.low ?? -Infinity), Math.fround(range.high ?? Infinity)];
    for (let node = 0; node < layer.count; node++) {
      const value = quantityOf(node);
      if (!(value >= low && value <= high)) shown[node] = 0;
    }
  }
  for (let node = 0; !silentShown && node < layer.count; node++) {
    if (isSilent(layer, node)) shown[node] = 0;
  }
  return shown.includes(0) ? shown : null;
}

/** The filters with another range for a quantity; null: without one. */
export function withRange(filters: Filters, quantity: Quantity, range: Range | null): Filters {
  const { [quantity]: _, ...others } = filters;
  return range === null ? others : { ...others, [quantity]: range };
}

/** The range of bars `first` to `end`, the latter not included; null if those are all. */
export function rangeOfBars({ edges }: Axis, whole: boolean, first: number, end: number): Range | null {
  // As many digits as the address has: a shared link shows the same features.
  const at = (bar: number) => +edges[bar]!.toPrecision(3);
  const low = first === 0 ? null : whole ? Math.ceil(edges[first]!) : at(first);
  const high = end === edges.length - 1 ? null : whole ? Math.floor(edges[end]!) : at(end);
  return low === null && high === null ? null : { low, high };
}

/** The bars nearest to a range: the first, and the one after the last. */
export function barsOfRange({ edges }: Axis, whole: boolean, range: Range | null): [number, number] {
  const bars = edges.length - 1;
  const nearest = (value: number) => {
    const distances = edges.map((edge) => Math.abs(edge - value));
    return distances.indexOf(Math.min(...distances));
  };
  const half = whole ? 0.5 : 0;
  const first = range?.low == null ? 0 : Math.min(bars - 1, nearest(range.low - half));
  return [first, range?.high == null ? bars : Math.max(first + 1, nearest(range.high + half))];
}

/** For people: "0.1 % to 1 %", "at least 3", "all". */
export function describeRange(quantity: Quantity, range: Range | null): string {
  const { format } = SCALES[quantity];
  const { low, high } = range ?? { low: null, high: null };
  if (low !== null && high !== null) return low === high ? format(low) : `${format(low)} to ${format(high)}`;
  if (low !== null) return `at least ${format(low)}`;
  return high === null ? "all" : `at most ${format(high)}`;
}
