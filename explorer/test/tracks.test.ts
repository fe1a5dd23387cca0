import { expect, it } from "vitest";
import { onMap } from "../src/data/layer";
import { nearestAround, nodeOfTrack, originsOf, stopsOf } from "../src/data/tracks";
import { following, INITIAL, selecting } from "../src/page/state";
import { inFrame } from "./fixtures";

const second = inFrame(2, [10, 11, 12, 13]);
const third = inFrame(3, [13, 20, 10, 21], [4, 3, 0, 1], [1, 0, 1, 1]);

it("finds where the points of a layer come from: the features of the same tracks", () => {
  expect(originsOf(second, third)).toEqual(Int32Array.of(3, -1, 0, -1));
  expect(nodeOfTrack(third, 10)).toBe(2);
  expect(nodeOfTrack(third, 11)).toBeNull();
});

it("takes points of one layer's two maps for the same, and those of two layers' own maps for strangers", () => {
  expect(originsOf(second, onMap(second, "own"))).toEqual(Int32Array.of(0, 1, 2, 3));
  expect(originsOf(onMap(second, "own"), onMap(third, "own"))).toBeNull();
  expect(originsOf(second, { ...third, modelId: "another" })).toBeNull();
});

it("selects the same track on another layer, remembers one that has ended, and finds it again", () => {
  const selected = { ...INITIAL, layer: second, ...selecting(second, 0) };
  expect(following(selected, third).selected).toBe(2);
  const other = { ...INITIAL, layer: second, ...selecting(second, 1) };
  const ended = following(other, third);
  expect(ended).toMatchObject({ selected: null, followed: { track: 11, layer: 2, index: 1 } });
  expect(following({ ...INITIAL, layer: third, ...ended }, second)).toMatchObject({ selected: 1 });
  expect(following(selected, { ...third, modelId: "another" })).toMatchObject({
    selected: null,
    followed: null,
  });
});

it("lists a track, and beyond its ends the nearest features of the one that is selected", () => {
  const member = (layer: number) => ({ layer, index: 0, label: null, cosine: null });
  const around = nearestAround(third, 1, { previous: 2, next: null });
  const layers = (members: number[], selected: number) =>
    stopsOf(members.map(member), around, { layer: selected, index: 0 }).map(({ layer, onTrack }) => [
      layer,
      onTrack,
    ]);
  expect(around.previous).toMatchObject({ layer: 2, index: 3, cosine: 0.25, mutual: false });
  expect(layers([3, 4], 3)).toEqual([
    [2, false],
    [3, true],
    [4, true],
  ]);
  expect(layers([3, 4], 4)).toEqual([
    [3, true],
    [4, true],
  ]);
  expect(nearestAround(third, 0, { previous: 2, next: null }).previous?.mutual).toBe(true);
  expect(nearestAround(second, 0, { previous: null, next: 3 })).toEqual({ previous: null, next: null });
});
