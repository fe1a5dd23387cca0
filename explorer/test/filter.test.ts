import { expect, it } from "vitest";
import { colorLayer } from "../src/colors";
import {
  barsOfRange,
  describeRange,
  NO_FILTERS,
  rangeOfBars,
  shownNodes,
  withRange,
} from "../src/data/filter";
import { axisOf, SCALES } from "../src/data/quantities";
import { similarities } from "../src/data/similarity";
import { prepared, rawLayer } from "./fixtures";

const layer = prepared(); // links 2, 1, 2, 1; density 0.1, 0.01, unknown, 0.001

function axis(quantity: keyof typeof SCALES, values: number[]) {
  return axisOf(Float64Array.from(values, SCALES[quantity].scale), SCALES[quantity])!;
}

it("shows what lies within all ranges, both ends included, and nothing of which the value is not known", () => {
  const shown = (filters: Parameters<typeof shownNodes>[1]) => shownNodes(layer, filters, true);
  expect(shown(NO_FILTERS)).toBeNull();
  expect([...shown({ density: { low: 0.01, high: null } })!]).toEqual([1, 1, 0, 0]);
  expect([...shown({ links: { low: null, high: 1 } })!]).toEqual([0, 1, 0, 1]);
  expect([...shown({ density: { low: 0.01, high: 0.1 }, links: { low: 2, high: null } })!]).toEqual([
    1, 0, 0, 0,
  ]);
  expect(shown({ track: { low: 2, high: null } })).toBeNull();
  const similar = { similarity: { low: 0.5, high: null } };
  expect(shown(similar)).toBeNull();
  expect([...shownNodes(layer, similar, true, 0)!]).toEqual([1, 1, 0, 0]); // cosines 0.9, 0.4
});

it("hides features that never fire unless they are asked for, and none of unknown density", () => {
  const raw = rawLayer();
  raw.metadata.nodeFacts = { density: [0, 1e-5, null, 9e-6] };
  expect([...shownNodes(prepared(raw), NO_FILTERS, false)!]).toEqual([0, 1, 1, 0]);
  expect(shownNodes(prepared(raw), NO_FILTERS, true)).toBeNull();
});

it("changes the range of one quantity and keeps the others", () => {
  const links = { low: 2, high: null };
  const both = withRange({ links }, "density", { low: null, high: 0.1 });
  expect(both).toEqual({ links, density: { low: null, high: 0.1 } });
  expect(withRange(both, "density", null)).toEqual({ links });
});

it("counts every value in one bar, the outliers in the outermost", () => {
  const values = Array.from({ length: 1000 }, (_, at) => 1e-4 * 1.005 ** at);
  const { edges, counts } = axis("density", [...values, 1e-9, 1, Number.NaN, 0]);
  expect(counts).toHaveLength(edges.length - 1);
  expect(counts.reduce((sum, count) => sum + count)).toBe(1003);
  const inside = (bar: number) =>
    values.filter((value) => value >= edges[bar]! && value < edges[bar + 1]!).length;
  expect(counts.slice(2, -1)).toEqual(counts.slice(2, -1).map((_, at) => inside(at + 2)));
});

it("has a bar for each of a few numbers, and one for those below the scale", () => {
  const { edges, counts } = axis("track", [1, 1, 1, 2, 4, 6]);
  expect(edges).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5]);
  expect(counts).toEqual([3, 1, 0, 1, 0, 1]);
  expect(axis("kept", [0.2, 0.2, 0.4, 0.6])).toMatchObject({ counts: [2, 1, 1], ticks: [0.2, 0.4, 0.6] });
  expect(axis("links", [2, 3, 0, 0])).toMatchObject({ edges: [0.5, 1.5, 2.5, 3.5], counts: [2, 1, 1] });
  expect(axis("density", [0, 0.01, 0.1, 0.1])).toMatchObject({
    counts: [1, 1, 2],
    ticks: [0, expect.anything(), 0.1],
  });
  const many = axis(
    "links",
    Array.from({ length: 400 }, (_, at) => at),
  );
  expect(many.edges.slice(1).every((edge, at) => edge - many.edges[at]! >= 1)).toBe(true);
});

it("turns bars into a range and back, with open ends where the scale ends", () => {
  const tracks = axis("track", [1, 2, 3, 4, 5, 6]);
  expect(rangeOfBars(tracks, true, 1, 4)).toEqual({ low: 2, high: 4 });
  expect(rangeOfBars(tracks, true, 5, 6)).toEqual({ low: 6, high: null });
  expect(rangeOfBars(tracks, true, 0, 6)).toBeNull();
  const densities = axis("density", [0.0001, 0.001, 0.1]);
  for (const [whole, on] of [
    [true, tracks],
    [false, densities],
  ] as const) {
    for (let first = 0; first < on.counts.length; first++) {
      const bars = [first, on.counts.length - (first % 2)] as const;
      if (bars[0] < bars[1]) expect(barsOfRange(on, whole, rangeOfBars(on, whole, ...bars))).toEqual(bars);
    }
  }
});

it("describes a range in the units of its quantity", () => {
  expect(describeRange("density", { low: 0.001, high: 0.01 })).toBe("0.1 % to 1 %");
  expect(describeRange("links", { low: 3, high: null })).toBe("at least 3");
  expect(describeRange("track", { low: 6, high: 6 })).toBe("6");
  expect(describeRange("index", null)).toBe("all");
});

it("knows the similarity of neighbours in either direction", () => {
  // 0 names 1 only; 2 names 0.
  const nearest = {
    offset: Uint32Array.from([0, 1, 1, 2, 2]),
    neighbor: Uint32Array.from([1, 0]),
    weight: Float32Array.from([0.75, 0.5]),
  };
  expect([...similarities({ ...layer, nearest }, 0)]).toEqual([Infinity, 0.75, 0.5, Number.NaN]);
  const { colors, legend } = colorLayer({ ...layer, nearest }, "similarity", "dark", 0);
  const color = (node: number) => [...colors.slice(3 * node, 3 * node + 3)];
  expect(legend).toMatchObject({ ticks: ["0.50", "0.63", "0.75"], histogram: { quantity: "similarity" } });
  expect(color(0)).toEqual(color(1));
  expect(color(2)).not.toEqual(color(1));
  expect(color(3)).toEqual([91, 100, 117]);
  expect(colorLayer(layer, "similarity", "dark").legend).toMatchObject({
    groups: [{ name: "no feature selected", count: 4 }],
  });
});
