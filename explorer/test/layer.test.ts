import { expect, it } from "vitest";
import { linkCount, nearestNodes, nodeOfFeature } from "../src/data/layer";
import { prepared, rawLayer } from "./fixtures";

const layer = prepared();

function linksOf(node: number) {
  const { offset, neighbor, weight } = layer.links;
  return Array.from({ length: linkCount(layer, node) }, (_, at) => [
    neighbor[offset[node]! + at]!,
    +weight[offset[node]! + at]!.toFixed(4),
  ]);
}

it("gives every node its links, strongest first, from both sides", () => {
  expect([0, 1, 2, 3].map(linksOf)).toEqual([
    [
      [1, 0.9],
      [2, 0.4],
    ],
    [[0, 0.9]],
    [
      [3, 0.6],
      [0, 0.4],
    ],
    [[2, 0.6]],
  ]);
});

it("finds the node of a feature index, and none of a dead or unknown feature", () => {
  expect([0, 1, 2, 3, 4, 5, 99].map((index) => nodeOfFeature(layer, index))).toEqual([
    0,
    1,
    null,
    2,
    3,
    null,
    null,
  ]);
});

it("finds the nearest nodes in the map, nearest first", () => {
  expect(nearestNodes(layer, 0, 2)).toEqual([1, 2]);
  expect(nearestNodes(layer, 3, 10)).toEqual([2, 1, 0]);
});

it("puts plain, well linked labels first and nodes without a label last", () => {
  expect([...layer.prominence]).toEqual([0, 1, 3, 2]);
});

it("keeps what is not known as not a number", () => {
  expect(layer.density![2]).toBeNaN();
  expect(layer.maxActivation).toBeNull();
  expect(layer.labels[2]).toBeNull();
});

it.each([1e39, -1e30, 1000.5])("refuses a coordinate that cannot be drawn: %d", (value) => {
  const raw = rawLayer();
  raw.nodes[2]!.position[1] = value;
  const message = `layer-2.json: y of feature 3 is ${value}; coordinates must lie within ±1000`;
  expect(() => prepared(raw)).toThrow(message);
  raw.nodes[2]!.position[1] = 1000 * Math.sign(value);
  expect(Number.isFinite(prepared(raw).radius)).toBe(true);
});

it("refuses a link to a node that is not there, and an id that occurs twice", () => {
  const raw = rawLayer();
  raw.edges[1]!.target = "m:2:2";
  expect(() => prepared(raw)).toThrow("layer-2.json: a link ends at m:2:2, which is no node");
  const twice = rawLayer();
  twice.nodes[3]!.id = twice.nodes[0]!.id;
  expect(() => prepared(twice)).toThrow("layer-2.json: the id m:2:0 occurs twice");
});
