import { PerspectiveCamera } from "three";
import { expect, it } from "vitest";
import { colorLayer } from "../src/colors";
import type { Layer } from "../src/data/layer";
import {
  areasOf,
  nameOf,
  nodesIn,
  partsOf,
  pathOf,
  regionsAround,
  regionsOf,
  titleOf,
} from "../src/data/regions";
import { choosing, INITIAL, selecting } from "../src/page/state";
import type { Projection } from "../src/scene/pick";
import { boxOf, overlap } from "../src/scene/placement";
import { placeNames } from "../src/scene/regionNames";
import { prepared, rawLayer } from "./fixtures";

/** Features 0, 1, 3 and 4 of `rawLayer` in regions: 4 alone in r2. */
function divided(): Layer {
  const raw = rawLayer();
  const region = ["r1.1.2", "r1.1.1", "r1.1.1", "r2.1.1"];
  const listed = [
    { id: "r2", representative: 4, name: "holidays" },
    { id: "r2.1", representative: 4 },
    { id: "r2.1.1", representative: 4 },
    { id: "r1", representative: 0 },
    { id: "r1.1", representative: 3 },
    { id: "r1.1.2", representative: 0 },
    { id: "r1.1.1", representative: 1, name: "days" },
    { id: "r3", representative: 2, name: "of dead features only" },
  ];
  Object.assign(raw.metadata, {
    nodeFacts: { region },
    regions: listed.map((entry) => ({
      ...entry,
      level: entry.id.split(".").length,
      size: 1,
      center: [0, 0, 0],
      radius: 1,
    })),
  });
  raw.nodes[0]!.category = "holidays";
  return prepared(raw);
}

it("orders regions as a tree, and counts the nodes in each", () => {
  const layer = divided();
  const order = layer.regions.map(({ id, size, parent }) => [id, size, parent]);
  expect(order).toEqual([
    ["r1", 3, -1],
    ["r1.1", 3, 0],
    ["r1.1.1", 2, 1],
    ["r1.1.2", 1, 1],
    ["r2", 1, -1],
    ["r2.1", 1, 4],
    ["r2.1.1", 1, 5],
  ]);
  expect(partsOf(layer, null)).toEqual([0, 4]);
  expect(partsOf(layer, 1)).toEqual([2, 3]);
  expect(pathOf(layer, layer.regionOf[3]!)).toEqual([4, 5, 6]);
  expect(nodesIn(layer, 1).sort()).toEqual([0, 1, 2]);
});

it("counts the numbers in ids, of which 10 comes after 9", () => {
  const ids = Array.from({ length: 11 }, (_, at) => `r${at + 1}`);
  const listed = ids.map((id) => ({ id, representative: 0 }));
  const { regions } = regionsOf(listed, ids.toReversed(), Uint32Array.from(ids.keys()));
  expect(regions.map(({ id }) => id)).toEqual(ids);
});

it("names a region by its name, or by the feature that stands for it, even without a label", () => {
  const layer = divided();
  expect([0, 1, 2].map((region) => nameOf(layer, region))).toEqual(["around friday", "around #3", "days"]);
  expect(titleOf(layer, 0)).toBe("3 features around friday");
});

it("takes the names of regions for no categories of the labels", () => {
  expect(divided().categories).toEqual([]);
});

it("finds the middle and the reach of regions on the map that is shown", () => {
  const regions = regionsOf(
    [{ id: "r1", representative: 0 }],
    Array.from({ length: 10 }, () => "r1"),
    Uint32Array.from(Array(10).keys()),
  );
  // Nine around the origin at a distance of 1, and one far away, which moves the middle.
  const positions = new Float32Array(30);
  for (let node = 0; node < 9; node++) positions[3 * node] = node % 2 === 0 ? 1 : -1;
  positions[28] = 100;
  const { center, radius } = areasOf(regions, positions);
  expect([...center].map((value) => +value.toFixed(3))).toEqual([0.1, 10, 0]);
  expect(radius[0]).toBeLessThan(11);
});

it("selects a feature or chooses a region, not both", () => {
  const layer = divided();
  const chosen = { ...INITIAL, ...choosing(2) };
  expect(chosen).toMatchObject({ region: 2, selected: null });
  expect({ ...chosen, ...selecting(layer, 1) }).toMatchObject({ region: null, selected: 1 });
});

/** A ball of `count` regions of level 1, each with four parts, and these with four; all are named but every fifth. */
function ball(count: number): Layer {
  const listed: { id: string; representative: number; name?: string }[] = [];
  const ids: string[] = [];
  const positions: number[] = [];
  const around = (at: number, reach: number) => [
    reach * Math.cos(2.4 * at),
    reach * Math.sin(2.4 * at),
    reach * Math.cos(1.7 * at),
  ];
  for (let first = 1; first <= count; first++) {
    const middle = around(first, 40 * ((first - 1) / count) ** (1 / 3));
    const add = (id: string) =>
      listed.push({ id, representative: 0, ...(listed.length % 5 && { name: `name of ${id}` }) });
    add(`r${first}`);
    for (let second = 1; second <= 4; second++) {
      add(`r${first}.${second}`);
      for (let third = 1; third <= 4; third++) {
        const id = `r${first}.${second}.${third}`;
        add(id);
        ids.push(id);
        const offsets = [around(second, 6), around(third, 2)];
        positions.push(...middle.map((value, axis) => value + offsets[0]![axis]! + offsets[1]![axis]!));
      }
    }
  }
  const index = Uint32Array.from(ids.keys());
  const regions = regionsOf(listed, ids, index);
  const areas = areasOf(regions, new Float32Array(positions));
  return {
    ...prepared(),
    ...regions,
    count: ids.length,
    index,
    prominence: index,
    areas,
    maps: { own: { areas }, frame: null },
  } as Layer;
}

function viewFrom(distance: number): Projection {
  const camera = new PerspectiveCamera(45, 800 / 600, 0.1, 1000);
  camera.position.z = distance;
  camera.updateMatrixWorld();
  const matrix = camera.projectionMatrix.clone().multiply(camera.matrixWorldInverse).elements;
  return { matrix, width: 800, height: 600, pixelsPerUnit: 600 / (2 * Math.tan(Math.PI / 8)) };
}

const SIZE: [number, number] = [90, 18];

function namesFrom(layer: Layer, distance: number, change: object = {}) {
  const common = { shown: new Set<number>(), isShown: () => true, taken: [], sizeOf: () => SIZE, limit: 40 };
  return placeNames({ layer, view: viewFrom(distance), near: distance, ...common, ...change });
}

it("names no region of which all features are filtered out", () => {
  const layer = ball(12);
  const { key: hidden } = namesFrom(layer, 150)[0]!;
  const left = namesFrom(layer, 150, { isShown: (region: number) => region !== hidden });
  expect(left.map(({ key }) => key)).not.toContain(hidden);
  const regions = divided();
  const around = [...regionsAround(regions, (node) => node === 0)].map((at) => regions.regions[at]!.id);
  expect(around.sort()).toEqual(["r1", "r1.1", "r1.1.2"]);
});

it("names large regions from afar, and their parts from near", () => {
  const layer = ball(12);
  const levels = (distance: number) => namesFrom(layer, distance).map(({ key }) => layer.regions[key]!.level);
  const [far, near] = [levels(150), levels(15)];
  expect(far.filter((level) => level === 1).length).toBeGreaterThan(far.length / 2);
  expect(near).not.toContain(1);
  expect(near).toContain(2);
});

it("names the parts of a region without a name in its stead, and no region beside its parts", () => {
  const layer = ball(12);
  const named = new Set(namesFrom(layer, 150).map(({ key }) => key));
  const unnamed = partsOf(layer, null).filter((region) => layer.regions[region]!.name === null);
  expect(unnamed.some((region) => [...named].some((at) => layer.regions[at]!.parent === region))).toBe(true);
  for (const region of named) {
    expect(layer.regions[region]!.name).not.toBeNull();
    expect(pathOf(layer, region).filter((at) => named.has(at))).toEqual([region]);
  }
});

it("puts no name over another, over a panel or beyond the picture", () => {
  const panel = { left: 0, top: 0, right: 300, bottom: 600 };
  const names = namesFrom(ball(60), 150, { taken: [panel] });
  const boxes = [panel, ...names.map((name) => boxOf(name, SIZE, 0))];
  expect(names.length).toBeGreaterThan(5);
  expect(boxes.filter((box, at) => boxes.slice(at + 1).some((other) => overlap(box, other)))).toEqual([]);
  expect(Math.max(...boxes.map(({ right }) => right))).toBeLessThanOrEqual(800);
});

it("keeps the names that are shown while the camera barely moves", () => {
  const layer = ball(60);
  const before = namesFrom(layer, 100).map(({ key }) => key);
  const after = namesFrom(layer, 97, { shown: new Set(before) }).map(({ key }) => key);
  expect(after.filter((region) => before.includes(region)).length).toBeGreaterThan(0.85 * before.length);
});

it("colours regions of the first level, near ones differently, and lists the largest with a name", () => {
  const layer = ball(40);
  const { colors, legend } = colorLayer(layer, "region", "dark");
  const colorOf = (node: number) => colors.slice(3 * node, 3 * node + 3).join(" ");
  const first = partsOf(layer, null);
  const of = new Map(first.map((region) => [region, colorOf(nodesIn(layer, region)[0]!)]));
  for (let node = 0; node < layer.count; node++) {
    expect(colorOf(node)).toBe(of.get(pathOf(layer, layer.regionOf[node]!)[0]!));
  }
  const { center } = layer.areas;
  const distance = (a: number, b: number) =>
    Math.hypot(...[0, 1, 2].map((axis) => center[3 * a + axis]! - center[3 * b + axis]!));
  const nearest = (region: number) =>
    first.filter((other) => other !== region).sort((a, b) => distance(region, a) - distance(region, b))[0]!;
  expect(first.filter((region) => of.get(region) === of.get(nearest(region)))).toEqual([]);
  const groups = legend.kind === "groups" ? legend.groups : [];
  expect(groups).toHaveLength(8);
  expect(new Set(groups.map(({ color }) => color)).size).toBe(8);
  expect(groups.at(-1)).toMatchObject({ name: "33 others", count: 33 * 16 });
});
