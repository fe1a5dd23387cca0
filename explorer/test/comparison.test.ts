import { expect, it } from "vitest";
import { aloneIn, counterparts, inOneFrame, relationOf } from "../src/data/comparison";
import { onMap } from "../src/data/layer";
import {
  featureBeside,
  following,
  INITIAL,
  readOf,
  type State,
  selecting,
  selectingBeside,
} from "../src/page/state";
import { inFrame } from "./fixtures";

const left = inFrame(2, [10, 11, 12, 13], [3, 4, 0, 1]);
const right = inFrame(3, [13, 20, 10, 21], [4, 3, 0, 1]);
const elsewhere = { ...right, modelId: "another" };
const state: State = { ...INITIAL, layer: left, beside: { ...INITIAL.beside, layer: right } };

it("finds the features that go on in another layer, and those of one layer only", () => {
  const there = counterparts(left, right)!;
  expect([...there]).toEqual([2, -1, -1, 0]);
  expect([...counterparts(right, left)!]).toEqual([3, -1, 0, -1]);
  // 1 is labelled, 2 is not.
  expect(aloneIn(left, there).nodes).toEqual([1, 2]);
  expect(counterparts(left, elsewhere)).toBeNull();
  expect(counterparts(left, { ...right, passage: null })).toBeNull();
});

it("compares positions only where both layers are in the frame of one model", () => {
  expect(inOneFrame(left, right)).toBe(true);
  expect(inOneFrame(onMap(left, "own"), onMap(right, "own"))).toBe(false);
  expect(inOneFrame(left, elsewhere)).toBe(false);
});

it("says where a feature is in another layer, and what is nearest to it in an adjacent one", () => {
  expect(relationOf(left, 0, right, 1)).toEqual({ kind: "track", node: 2, cosine: 0.5 });
  expect(relationOf(left, 0, right, 3)).toEqual({ kind: "track", node: 2, cosine: null });
  // On a track to a feature that is not its nearest.
  expect(relationOf(left, 3, right, 1)).toEqual({ kind: "track", node: 0, cosine: null });
  expect(relationOf(left, 1, right, 1)).toEqual({ kind: "none", nearest: { node: 3, cosine: 0.25 } });
  expect(relationOf(left, 1, right, 2)).toEqual({ kind: "none", nearest: null });
  expect(relationOf(left, 0, elsewhere, 1)).toBeNull();
});

it("lists the regions with more features of one layer than chance would put there, none within another", () => {
  const count = 100;
  // r1 holds the first half, r1.1 the first 15 of it, r2 the rest.
  const region = (id: string, parent: number, end: number, size: number) => ({
    ...{ id, parent, end, size, name: id, representative: 0 },
    level: id.split(".").length,
  });
  const regions = [region("r1", -1, 2, 50), region("r1.1", 0, 2, 15), region("r2", -1, 3, 50)];
  const regionOf = Int32Array.from({ length: count }, (_, node) => (node < 15 ? 1 : node < 50 ? 0 : 2));
  const prominence = Uint32Array.from({ length: count }, (_, node) => node);
  const layer = { ...left, count, regions, regionOf, prominence };
  const among = (isAlone: (node: number) => boolean) =>
    aloneIn(
      layer,
      Int32Array.from({ length: count }, (_, node) => (isAlone(node) ? -1 : 0)),
    ).regions;
  expect(among((node) => node < 45)).toEqual([{ region: 0, size: 50, alone: 45 }]);
  expect(among((node) => node < 14)).toEqual([{ region: 1, size: 15, alone: 14 }]);
  expect(among((node) => node % 2 === 0)).toEqual([]);
  expect(among(() => true)).toEqual([]);
});

it("selects on the map beside the first, and the same track on the first", () => {
  const joined = { ...state, ...selectingBeside(state, 2) };
  expect(joined).toMatchObject({ selected: 0, inBeside: true, followed: { layer: 3, track: 10 } });
  expect(readOf(joined)).toMatchObject({ layer: right, selected: 2 });
  const ended = { ...state, ...selectingBeside(state, 1) };
  expect(ended).toMatchObject({ selected: null, followed: { layer: 3, track: 20 } });
  const strange = { ...state, beside: { ...state.beside, layer: elsewhere } };
  expect(selectingBeside(strange, 2)).toMatchObject({ selected: null, inBeside: true });
  // A track of another model says nothing of this one's layers.
  const chosen = { ...strange, ...selectingBeside(strange, 2) };
  expect(following(chosen, left)).toMatchObject({ selected: null, followed: null, inBeside: false });
  expect(following(joined, left)).toMatchObject({ selected: 0, followed: { track: 10 } });
});

it("names the feature selected beside the first map once its layer is the one to be compared", () => {
  const joined = { ...state, ...selectingBeside(state, 2) };
  const compared = { modelId: right.modelId, layer: 3 };
  expect(featureBeside({ ...joined, compared })).toBe(right.index[2]);
  expect(featureBeside({ ...joined, compared: { ...compared, layer: 4 } })).toBeNull();
  expect(featureBeside({ ...state, compared: { ...compared, feature: 7 } })).toBe(7);
});

it("reads on the first map again once something is selected there", () => {
  const joined = { ...state, ...selectingBeside(state, 2) };
  const again = { ...joined, ...selecting(left, 3) };
  expect(readOf(again)).toMatchObject({ layer: left, selected: 3 });
  expect(selectingBeside(joined, null)).toMatchObject({ selected: null, followed: null, inBeside: false });
});
