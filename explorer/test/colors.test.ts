import { expect, it } from "vitest";
import { availableColorings, COLORINGS, colorLayer } from "../src/colors";
import { formatShare } from "../src/data/quantities";
import { prepared, rawLayer } from "./fixtures";

const layer = prepared();
const rgb = (colors: Uint8Array, node: number) => [...colors.slice(3 * node, 3 * node + 3)];
const lightness = ([red, green, blue]: number[]) => 0.2126 * red! + 0.7152 * green! + 0.0722 * blue!;

it("offers only colourings of which the layer knows something", () => {
  expect(availableColorings(layer)).toEqual(["links", "labelled", "similarity", "density", "index"]);
});

it("gets lighter as a quantity grows, in every theme", () => {
  for (const theme of ["dark", "light"] as const) {
    const { colors } = colorLayer(layer, "density", theme); // 0.1, 0.01, unknown, 0.001
    expect(lightness(rgb(colors, 0))).toBeGreaterThan(lightness(rgb(colors, 1)));
    expect(lightness(rgb(colors, 1))).toBeGreaterThan(lightness(rgb(colors, 3)));
  }
});

it("can colour a layer by the scale of another, so that a colour means the same on both", () => {
  const raw = rawLayer();
  raw.edges.length = 1; // 0-1
  const other = prepared(raw);
  const { colors } = colorLayer(layer, "links", "dark");
  const alike = colorLayer(other, "links", "dark", null, layer);
  // Nodes 0 and 3 have two links and one here; there, 0 has one.
  expect(rgb(alike.colors, 0)).toEqual(rgb(colors, 3));
});

it("names what has no value, in the legend and by a colour of its own", () => {
  const { colors, legend } = colorLayer(layer, "density", "dark");
  expect(legend).toMatchObject({ kind: "ramp", ticks: ["0.1 %", "1 %", "10 %"] });
  expect(legend).toMatchObject({ missing: { color: "rgb(91 100 117)", name: "none, or not known" } });
  expect(rgb(colors, 2)).toEqual([91, 100, 117]);
});

it("shows features without a link by a colour of their own, and has no scale if none has a link", () => {
  const raw = rawLayer();
  raw.edges.length = 1; // 0-1
  const { colors, legend } = colorLayer(prepared(raw), "links", "dark");
  expect(legend).toMatchObject({ kind: "ramp", missing: { name: "no link" } });
  expect(rgb(colors, 2)).toEqual([91, 100, 117]);
  expect(rgb(colors, 1)).not.toEqual(rgb(colors, 2));
  raw.edges = [];
  expect(colorLayer(prepared(raw), "links", "dark").legend).toMatchObject({
    kind: "groups",
    groups: [{ name: "no link", count: 4 }],
  });
});

it("counts groups, and lumps those beyond the palette together", () => {
  expect(colorLayer(layer, "labelled", "dark").legend).toMatchObject({
    groups: [
      { name: "labelled", count: 3 },
      { name: "no label", count: 1 },
    ],
  });
  const many = {
    ...layer,
    count: 11,
    categories: [..."abcdefghij"],
    category: Int16Array.from({ length: 11 }, (_, at) => (at === 10 ? -1 : at)),
  };
  for (const theme of ["dark", "light"] as const) {
    const { legend } = colorLayer(many, "category", theme);
    const groups = legend.kind === "groups" ? legend.groups : [];
    expect(groups.map(({ name }) => name)).toEqual([..."abcdefgh", "2 others", "no category"]);
    expect(groups.map(({ count }) => count)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 2, 1]);
    expect(new Set(groups.map(({ color }) => color)).size).toBe(10);
    // The last two are grey.
    const greyness = groups.map(({ color }) => {
      const channels = color.match(/\d+/g)!.map(Number);
      return Math.max(...channels) - Math.min(...channels);
    });
    expect(Math.max(...greyness.slice(8))).toBeLessThan(30);
  }
});

it("colours a layer of one node, and one without links", () => {
  const raw = rawLayer();
  raw.nodes.length = 1;
  raw.edges = [];
  raw.metadata.nodeFacts = { density: [0] };
  const lone = prepared(raw);
  for (const coloring of COLORINGS.filter((name) => availableColorings(lone).includes(name))) {
    expect(colorLayer(lone, coloring, "dark").colors).toHaveLength(3);
  }
});

it("writes shares with two digits", () => {
  expect([0.5, 0.00123, 0.0000456].map(formatShare)).toEqual(["50 %", "0.12 %", "0.0046 %"]);
});
