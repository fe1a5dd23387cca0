import { expect, it } from "vitest";
import { Sharpness } from "../src/scene/sharpness";

function afterFrames(taken: number, frames: number, sharpness = new Sharpness()): number {
  let share = 1;
  for (let at = 0; at < frames; at++) share = sharpness.next(true, at * taken);
  return share;
}

it("stays sharp at 60 frames a second, and on a single slow frame", () => {
  expect(afterFrames(16, 100)).toBe(1);
  const sharpness = new Sharpness();
  expect([0, 16, 150, 166, 182].map((now) => sharpness.next(true, now))).toEqual([1, 1, 1, 1, 1]);
});

it("gets coarser while frames are slow, to a limit", () => {
  expect(afterFrames(100, 100)).toBe(0.5);
});

it("is sharp at rest, and again in motion once frames are fast", () => {
  const sharpness = new Sharpness();
  afterFrames(100, 100, sharpness);
  expect(sharpness.next(false, 0)).toBe(1);
  expect(sharpness.next(true, 0)).toBe(0.5);
  expect(afterFrames(8, 100, sharpness)).toBe(1);
});
