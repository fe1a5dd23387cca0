import { expect, it } from "vitest";
import { Glide } from "../src/scene/glide";

/** Two points one map unit apart; the first goes to x = 10, and a third appears at x = 5. */
const before = { positions: Float32Array.of(0, 0, 0, 1, 0, 0), glide: null };
const origins = Int32Array.of(0, -1);
const arriving = () => Glide.arriving(origins, before, Float32Array.of(10, 0, 0, 5, 0, 0));

it("moves points from where their origins are, and fades in those without one where they will be", () => {
  const glide = arriving();
  const at = (now: number) => {
    const going = glide.step(now);
    return [going, glide.positions[0], glide.positions[3], glide.visibility(0), glide.visibility(1)];
  };
  expect(at(1000)).toEqual([true, 0, 5, 1, 0]);
  expect(at(1300)).toEqual([true, 5, 5, 1, 0.5]);
  expect(at(9999)).toEqual([false, 10, 5, 1, 1]);
});

it("depends on the time that has passed, not on the number of frames", () => {
  const [few, many] = [arriving(), arriving()];
  few.step(0);
  few.step(450);
  for (let now = 0; now <= 450; now++) many.step(now);
  expect(many.positions).toEqual(few.positions);
});

it("fades out points that nothing comes from, and hands the others over", () => {
  const glide = Glide.leaving(origins, before);
  glide.step(0);
  expect([glide.visibility(0), glide.visibility(1)]).toEqual([0, 1]);
  glide.step(600);
  expect([glide.visibility(0), glide.visibility(1)]).toEqual([0, 0]);
  expect(glide.positions).toEqual(before.positions);
});

it("goes on from where the points are when the next glide begins", () => {
  const first = arriving();
  first.step(0);
  first.step(300);
  const halfway = { positions: first.positions, glide: first };
  const second = Glide.arriving(Int32Array.of(1, 0), halfway, Float32Array.of(0, 0, 0, 0, 0, 0));
  second.step(300);
  expect([second.positions[0], second.positions[3]]).toEqual([5, 5]);
  expect([second.visibility(0), second.visibility(1)]).toEqual([0.5, 1]);
});
