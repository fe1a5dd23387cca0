import { expect, it } from "vitest";
import {
  EMPTY_SET,
  fitsAddress,
  formatMembers,
  parseMembers,
  withFeatures,
  withoutFeatures,
} from "../src/data/featureSet";

const of = (...pairs: [number, number][]) => pairs.map(([layer, index]) => ({ layer, index }));

it("keeps its members in order, each once", () => {
  const set = withFeatures({ ...EMPTY_SET, name: "mine" }, of([5, 9], [4, 3], [5, 2], [5, 9]));
  expect(set).toEqual({ name: "mine", members: of([4, 3], [5, 2], [5, 9]) });
  expect(withoutFeatures(set, of([5, 2], [7, 7])).members).toEqual(of([4, 3], [5, 9]));
});

it("writes members as ranges by layer, and reads them", () => {
  const members = of([4, 3], [5, 1], [5, 2], [5, 3], [5, 9]);
  expect(formatMembers(members)).toBe("4:3;5:1-3,9");
  expect(parseMembers("4:3;5:1-3,9")).toEqual(members);
});

it.each(["", "5", "5:", "5:a", "5:1-", "5:0-9999999", "x:1", "5:1;;6:2", "5:3-1,"])(
  "makes nothing of %j",
  (text) => {
    expect(parseMembers(text)).toEqual([]);
  },
);

it("knows what an address can hold", () => {
  const every = (step: number) =>
    Array.from({ length: 16384 / step }, (_, at) => ({ layer: 1, index: step * at }));
  expect(fitsAddress({ name: "", members: every(1) })).toBe(true);
  expect(fitsAddress({ name: "", members: every(2) })).toBe(false);
});
