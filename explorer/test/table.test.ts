import { expect, it } from "vitest";
import { neighborsOf } from "../src/data/layer";
import { layerOfTables, strongPairs } from "../src/data/table";
import { prepared } from "./fixtures";

/** Neighbours as a table stores them, by node: [node, cosine], strongest first. */
function stored(lists: [number, number][][]) {
  const offset = new Uint32Array(lists.length + 1);
  lists.forEach((list, node) => {
    offset[node + 1] = offset[node]! + list.length;
  });
  const flat = lists.flat();
  return {
    offset,
    neighbor: Uint32Array.from(flat, ([other]) => other),
    weight: Float32Array.from(flat, ([, cosine]) => cosine),
  };
}

function pairs(lists: [number, number][][], rule: { k: number; threshold: number }) {
  const { source, target, weight } = strongPairs(stored(lists), rule);
  return [...source].map((node, at) => [node, target[at], +weight[at]!.toFixed(4)]).sort();
}

it("links two of which one is near enough to the other, each pair once", () => {
  const lists: [number, number][][] = [
    // 0 is not among the first two of 2, nor 2 similar enough to 1.
    [
      [1, 0.9],
      [2, 0.5],
    ],
    [
      [0, 0.9],
      [2, 0.29],
    ],
    [
      [3, 0.8],
      [1, 0.7],
      [0, 0.5],
    ],
    [],
  ];
  expect(pairs(lists, { k: 2, threshold: 0.3 })).toEqual([
    [0, 1, 0.9],
    [0, 2, 0.5],
    [1, 2, 0.7],
    [2, 3, 0.8],
  ]);
  expect(pairs(lists, { k: 1, threshold: 0.85 })).toEqual([[0, 1, 0.9]]);
});

it("compares with the threshold in single precision, and links nothing above a cosine of 1", () => {
  expect(pairs([[[1, 0.3]], []], { k: 1, threshold: 0.3 })).toEqual([[0, 1, 0.3]]);
  expect(pairs([[[1, 1.0000001]], []], { k: 1, threshold: 0.3 })).toEqual([[0, 1, 1]]);
});

it("refuses what is no table", async () => {
  const about = {
    modelId: "m",
    displayName: "m",
    layer: 0,
    neuronpedia: null,
    edges: { k: 1, threshold: 0 },
  };
  for (const text of ["", "PAR1", "<html>Not found</html>"]) {
    const bytes = new TextEncoder().encode(text).buffer;
    await expect(layerOfTables({ bytes, name: "m/layer-0.parquet" }, null, about)).rejects.toThrow(
      /^m\/layer-0\.parquet is not a Parquet file, or is incomplete/,
    );
  }
});

it("gives a node's links", () => {
  expect(neighborsOf(prepared().links, 3)).toEqual([{ node: 2, cosine: Math.fround(0.6) }]);
});
