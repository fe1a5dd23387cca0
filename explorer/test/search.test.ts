import { expect, it } from "vitest";
import { search } from "../src/data/search";
import { prepared, rawLayer } from "./fixtures";

function layerOf(labels: string[]) {
  const raw = rawLayer();
  raw.nodes = labels.map((label, index) => ({
    id: `m:2:${index}`,
    featureId: { modelId: "m", layer: 2, index },
    position: [0, 0, index],
    label,
  }));
  raw.edges = [];
  raw.metadata.nodeFacts = {};
  return prepared(raw);
}

function labelsOf(labels: string[], query: string): string[] {
  return search(layerOf(labels), query).nodes.map((node) => labels[node]!);
}

it("ranks whole words before beginnings of words before other places, and early before late", () => {
  const labels = ["holiday", "daybreak", "a long label about the day", "day; also night"];
  expect(labelsOf(labels, "day")).toEqual([
    "day; also night",
    "a long label about the day",
    "daybreak",
    "holiday",
  ]);
});

it("wants all words, in any order", () => {
  expect(labelsOf(["red wine", "wine", "wine that is red"], "red wine")).toEqual([
    "red wine",
    "wine that is red",
  ]);
});

it("takes no notice of case and accents", () => {
  expect(labelsOf(["Élan vital", "Straße", "ПРИВЕТ"], "elan")).toEqual(["Élan vital"]);
  expect(labelsOf(["Élan vital", "Straße", "ПРИВЕТ"], "привет")).toEqual(["ПРИВЕТ"]);
});

it("finds a feature by its index before labels that hold the number", () => {
  const labels = ["a", "year 2", "b", "c"];
  expect(search(layerOf(labels), "2").nodes).toEqual([2, 1]);
  expect(search(layerOf(labels), "#2").nodes).toEqual([2]);
});

it("takes special characters as they are", () => {
  expect(labelsOf(["a.b", "axb", "<script>alert(1)</script>", "(x"], ".")).toEqual(["a.b"]);
  expect(labelsOf(["a.b", "axb", "<script>alert(1)</script>", "(x"], "<script>")).toEqual([
    "<script>alert(1)</script>",
  ]);
  expect(labelsOf(["a.b", "axb", "(x"], "(")).toEqual(["(x"]);
});

it("finds nothing for nothing", () => {
  expect(labelsOf(["a"], "   ")).toEqual([]);
  expect(labelsOf(["a"], "zebra")).toEqual([]);
});
