import { PerspectiveCamera, Vector3 } from "three";
import { expect, it } from "vitest";
import { coasted, showsMap } from "../src/scene/camera";
import { fittingView } from "../src/scene/fit";
import { saysLittle } from "../src/scene/labelWords";
import { DRAWN_BY_DEFAULT, LinkOrder } from "../src/scene/linkOrder";
import { nodesWithin, type Projection, pick } from "../src/scene/pick";
import { boxOf, overlap, type Placement, placeLabels } from "../src/scene/placement";

/** An eye at z = 10 that looks at the origin, on a canvas of 800 by 600. */
function view(): Projection {
  const camera = new PerspectiveCamera(45, 800 / 600, 0.1, 100);
  camera.position.z = 10;
  camera.updateMatrixWorld();
  const matrix = camera.projectionMatrix.clone().multiply(camera.matrixWorldInverse).elements;
  return { matrix, width: 800, height: 600, pixelsPerUnit: 600 / (2 * Math.tan(Math.PI / 8)) };
}

it("picks the disc nearest to the eye, not the one nearest to the pointer", () => {
  const positions = new Float32Array([0, 0, 0, 0.05, 0, 5, 0, 0, 20]); // the last is behind the eye
  expect(pick({ positions, radiusOf: () => 0.1 }, view(), 400, 300, 5)).toBe(1);
});

it("picks a near miss, and nothing far away", () => {
  const positions = new Float32Array([0, 0, 0]);
  expect(pick({ positions, radiusOf: () => 0.01 }, view(), 404, 300, 5)).toBe(0);
  expect(pick({ positions, radiusOf: () => 0.01 }, view(), 412, 300, 5)).toBeNull();
});

it("finds the points inside an outline, and none behind the eye", () => {
  // On the screen at 400, 300; to its right; above it.
  const positions = new Float32Array([0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 20]);
  const within = (...outline: [number, number][]) => nodesWithin(positions, view(), outline);
  expect(within([390, 200], [500, 200], [500, 310], [390, 310])).toEqual([0, 1, 2]);
  expect(within([500, 310], [390, 310], [390, 290], [500, 290])).toEqual([0, 1]);
  // A triangle, and one that leaves out a notch around the first.
  expect(within([390, 200], [410, 200], [400, 310])).toEqual([0, 2]);
  expect(within([380, 200], [500, 310], [400, 290], [300, 310])).toEqual([1, 2]);
  // What a line encloses twice is outside.
  const around: [number, number][] = [
    [390, 290],
    [410, 290],
    [410, 310],
    [390, 310],
  ];
  expect(within(...around, ...around)).toEqual([]);
});

it("picks nothing that is not shown", () => {
  const discs = { positions: new Float32Array([0, 0, 0, 0.05, 0, 5]), radiusOf: () => 0.1 };
  expect(pick(discs, view(), 400, 300, 5, (node) => node !== 1)).toBe(0);
  expect(pick(discs, view(), 400, 300, 5, () => false)).toBeNull();
});

const discs = (positions: Float32Array) => ({ positions, radiusOf: () => 0.02 });

function placement(count: number, change: Partial<Placement> = {}): Placement {
  return {
    points: discs(Float32Array.from({ length: 3 * count }, (_, at) => 6 * (((at * 0.754877) % 1) - 0.5))),
    order: Array.from({ length: count }, (_, node) => node),
    view: view(),
    near: 10,
    wanted: [],
    shown: new Set(),
    taken: [],
    saysLittle: () => false,
    textOf: String,
    sizeOf: () => [90, 16],
    reserve: () => [],
    limit: 40,
    ...change,
  };
}

it("puts no label over another, over a panel or beyond the picture", () => {
  const panel = { left: 0, top: 0, right: 300, bottom: 600 };
  const placed = placeLabels(placement(2000, { taken: [panel] }));
  const boxes = [panel, ...placed.map((label) => boxOf(label, [90, 16], 0))];
  expect(placed.length).toBeGreaterThan(10);
  const overlapping = boxes.filter((box, at) => boxes.slice(at + 1).some((other) => overlap(box, other)));
  expect(overlapping).toEqual([]);
  expect(Math.max(...boxes.map((box) => box.right))).toBeLessThanOrEqual(800);
});

it("shows what is wanted first, and no more than the limit", () => {
  const placed = placeLabels(placement(2000, { wanted: [1234], limit: 5 }));
  expect(placed).toHaveLength(5);
  expect(placed[0]!.key).toBe(1234);
});

it("shows only the first of equal labels", () => {
  const placed = placeLabels(placement(2000, { wanted: [7], textOf: (node) => String(node % 5) }));
  expect(placed[0]!.key).toBe(7);
  expect(new Set(placed.map(({ key }) => key % 5)).size).toBe(placed.length);
});

it("shows labels that say little only where there is room left", () => {
  const crowded = placeLabels(placement(2000, { saysLittle: (node) => node % 2 === 0, limit: 20 }));
  expect(crowded.filter(({ key }) => key % 2 === 0)).toEqual([]);
  expect(
    placeLabels(placement(1, { points: discs(new Float32Array(3)), saysLittle: () => true })),
  ).toHaveLength(1);
});

it("knows labels of function words from those that say something", () => {
  const little = ["the", "of; also river", "it is", ":", "", "nor, and, otherwise, in, by", "The"];
  const telling = ["water", "the word river", "references to the law", "река", "theatre", "a court of law"];
  expect(little.filter(saysLittle)).toEqual(little);
  expect(telling.filter(saysLittle)).toEqual([]);
});

it("shows only what is wanted when nothing else may be", () => {
  expect(placeLabels(placement(2000, { wanted: [7], order: [] })).map((label) => label.key)).toEqual([7]);
});

it("prefers the prominent among the equally near", () => {
  const ring = Float32Array.from({ length: 300 }, (_, at) =>
    at % 3 === 2 ? 0 : 0.2 * (at % 3 === 0 ? Math.cos(at) : Math.sin(at)),
  );
  const order = Array.from({ length: 100 }, (_, at) => 99 - at);
  expect(placeLabels(placement(100, { points: discs(ring), order, limit: 1 }))[0]!.key).toBe(99);
});

it("coasts by time, not by frames", () => {
  const left = (frames: number[]) => frames.reduce((rest, elapsed) => rest * (1 - coasted(elapsed)), 1);
  expect(left(new Array(60).fill(1000 / 60))).toBeCloseTo(left([400, 600]), 10);
  expect(left([2000])).toBeLessThan(0.001);
});

it("tells views of the map from views of nothing", () => {
  const map = { center: [0, 0, 5] as [number, number, number], radius: 10 };
  expect(showsMap([0, 0, 60, 0, 0, 5], map)).toBe(true);
  expect(showsMap([30, 0, 60, 50, 0, 5], map)).toBe(true);
  expect(showsMap([0, 0, 9000, 0, 0, 5], map)).toBe(false);
  expect(showsMap([9000, 0, 60, 9000, 0, 5], map)).toBe(false);
});

/** A ball of points around (1, 2, 3), its radius 10, and one point far away. */
function ball(count: number): Float32Array {
  const positions = Float32Array.from({ length: 3 * count }, (_, at) => {
    const [node, axis] = [Math.floor(at / 3), at % 3];
    const height = 1 - (2 * node) / (count - 1);
    const across = Math.sqrt(1 - height * height);
    const point = [across * Math.cos(2.4 * node), height, across * Math.sin(2.4 * node)];
    return axis + 1 + 10 * point[axis]!;
  });
  positions.set([900, 0, 0], 0);
  return positions;
}

it.each([
  [0.3, 0.4],
  [0.2, 0.1],
  [0.9, 0.2],
])("fits a map into a picture of %d by %d, whatever its outliers", (slopeX, slopeY) => {
  const positions = ball(5000);
  const direction = new Vector3(0.6, 0.4, 1).normalize();
  const view = fittingView(positions, direction, slopeX, slopeY);
  const camera = new PerspectiveCamera((2 * Math.atan(slopeY) * 180) / Math.PI, slopeX / slopeY, 0.1, 1000);
  camera.position.fromArray(view, 0);
  camera.lookAt(new Vector3().fromArray(view, 3));
  camera.updateMatrixWorld();
  const seen = Array.from({ length: 4999 }, (_, node) =>
    new Vector3().fromArray(positions, 3 * (node + 1)).project(camera),
  );
  const share = (reach: number) =>
    seen.filter(({ x, y }) => Math.max(Math.abs(x), Math.abs(y)) <= reach).length / seen.length;
  expect(share(1)).toBeGreaterThan(0.99);
  expect(share(0.9)).toBeLessThan(0.98);
});

it("counts links by cosine, and draws the strongest by default", () => {
  const order = new LinkOrder(Float32Array.from([0.41, 0.9, 0.25, 0.4099, 0.41]));
  expect([...order.edges]).toEqual([1, 0, 4, 3, 2]);
  expect([0, 0.25, 0.41, 0.411, 0.9, 1].map((cosine) => order.count(cosine))).toEqual([5, 5, 3, 1, 1, 0]);
  const [source, target] = [Uint32Array.from([0, 0, 1, 1, 2]), Uint32Array.from([1, 2, 2, 3, 3])];
  const edges = { source, target, weight: new Float32Array() };
  expect(order.countShown(0.41, edges, Uint8Array.from([1, 1, 1, 0]))).toBe(2);
  expect(order.range).toEqual([0.25, 0.9]);
  expect(order.defaultCosine).toBe(0.25);
  expect(new LinkOrder(new Float32Array()).count(0)).toBe(0);
});

it("draws some 10,000 links of a map with many, by cosine alone", () => {
  const order = new LinkOrder(
    Float32Array.from({ length: 127_000 }, (_, at) => 0.25 + 0.75 * (at / 127_000) ** 9),
  );
  const drawn = order.count(order.defaultCosine);
  expect(drawn).toBeGreaterThanOrEqual(DRAWN_BY_DEFAULT);
  expect(drawn).toBeLessThan(1.05 * DRAWN_BY_DEFAULT);
  const equal = new LinkOrder(new Float32Array(30_000).fill(0.5));
  expect(equal.count(equal.defaultCosine)).toBe(30_000);
});
