import { expect, it } from "vitest";
import { boilerplateOf } from "../src/data/boilerplate";

/** Three topics far apart; every label of one begins with "code", as many begin with "references" or "various". */
function features(): { labels: string[]; positions: Float32Array } {
  const labels = Array.from({ length: 300 }, (_, node) => {
    const opening = ["references to", "various forms of"][node % 2];
    return node < 100
      ? `code that has the number ${node} in its text`
      : `${opening} the number ${node} in texts`;
  });
  const positions = Float32Array.from(
    labels.flatMap((_, node) => [40 * Math.floor(node / 100), node % 7, node % 5]),
  );
  return { labels, positions };
}

it("finds the words that open labels all over the map, and not those of a topic", () => {
  const { labels, positions } = features();
  const spread = positions.map((value, at) => (at % 3 === 0 ? 40 * ((at / 3) % 3) : value));
  expect(boilerplateOf(labels, spread)).toContain("references");
  expect(boilerplateOf(labels, spread)).toContain("code");
  expect(boilerplateOf(labels, positions)).not.toContain("code");
});

it("finds none in short labels, in few, and where there are none", () => {
  const { labels, positions } = features();
  expect(
    boilerplateOf(
      labels.map((label) => label.slice(0, 20)),
      positions,
    ).size,
  ).toBe(0);
  expect(boilerplateOf(labels.slice(0, 8), positions).size).toBe(0);
  expect(
    boilerplateOf(
      labels.map(() => null),
      positions,
    ).size,
  ).toBe(0);
});
