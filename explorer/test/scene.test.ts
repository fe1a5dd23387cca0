import { PerspectiveCamera } from "three";
import { expect, it } from "vitest";
import { showsMap } from "../src/scene/camera";
import { type Projection, pick } from "../src/scene/pick";
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
  expect(pick(positions, () => 0.1, view(), 400, 300, 5)).toBe(1);
});

it("picks a near miss, and nothing far away", () => {
  const positions = new Float32Array([0, 0, 0]);
  expect(pick(positions, () => 0.01, view(), 404, 300, 5)).toBe(0);
  expect(pick(positions, () => 0.01, view(), 412, 300, 5)).toBeNull();
});

function placement(count: number, change: Partial<Placement> = {}): Placement {
  return {
    positions: Float32Array.from({ length: 3 * count }, (_, at) => 6 * (((at * 0.754877) % 1) - 0.5)),
    radiusOf: () => 0.02,
    order: Array.from({ length: count }, (_, node) => node),
    view: view(),
    near: 10,
    wanted: [],
    shown: new Set(),
    taken: [],
    sizeOf: () => [90, 16],
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
  expect(placed[0]!.node).toBe(1234);
});

it("shows only what is wanted when nothing else may be", () => {
  expect(placeLabels(placement(2000, { wanted: [7], order: [] })).map((label) => label.node)).toEqual([7]);
});

it("prefers the prominent among the equally near", () => {
  const ring = Float32Array.from({ length: 300 }, (_, at) =>
    at % 3 === 2 ? 0 : 0.2 * (at % 3 === 0 ? Math.cos(at) : Math.sin(at)),
  );
  const order = Array.from({ length: 100 }, (_, at) => 99 - at);
  expect(placeLabels(placement(100, { positions: ring, order, limit: 1 }))[0]!.node).toBe(99);
});

it("tells views of the map from views of nothing", () => {
  const map = { center: [0, 0, 5] as [number, number, number], radius: 10 };
  expect(showsMap([0, 0, 60, 0, 0, 5], map)).toBe(true);
  expect(showsMap([30, 0, 60, 50, 0, 5], map)).toBe(true);
  expect(showsMap([0, 0, 9000, 0, 0, 5], map)).toBe(false);
  expect(showsMap([9000, 0, 60, 9000, 0, 5], map)).toBe(false);
});
