import { expect, it } from "vitest";
import { SearchIndex } from "../src/data/search";

async function find(labels: (string | null)[], query: string) {
  const numbers = Uint32Array.from(labels, (_, node) => node);
  const index = await SearchIndex.of({ labels, index: numbers, linkCounts: numbers });
  const { nodes, best, whole } = index.search(query);
  return {
    whole,
    all: nodes.slice(0, best).map((node) => labels[node]),
    others: nodes.slice(best).map((node) => labels[node]),
  };
}

it("finds labels with all words, in any order, before those with some", async () => {
  const labels = ["wine", "red wine", "wine that is red", null, "white bread"];
  expect(await find(labels, "red wine")).toEqual({
    whole: true,
    all: ["red wine", "wine that is red"],
    others: ["wine"],
  });
});

it("finds labels with some of the words if none has all", async () => {
  const labels = ["instrument, drummer, clarinet", "music", "magical", "friday"];
  const { all, others, whole } = await find(labels, "musical instruments");
  expect(whole).toBe(false);
  expect(all.toSorted()).toEqual(labels.slice(0, 2));
  expect(others).toEqual([]);
  expect((await find(["not; also no, never", "week"], "negation not")).all).toEqual(["not; also no, never"]);
});

it("looks for words that tell something", async () => {
  const labels = ["the capital of the country", "day; also days, daily", "week, weekend", "the; also of"];
  expect((await find(labels, "days of the week")).all.toSorted()).toEqual(labels.slice(1, 3));
  expect((await find(labels, "of the")).all.toSorted()).toEqual([labels[0], labels[3]]);
});

it("ranks whole words before beginnings of words, and leaves out ends of words", async () => {
  const labels = ["joking", "kingdom, kings, kinglet", "a long label about a king"];
  expect((await find(labels, "king")).all).toEqual([labels[2], labels[1]]);
});

it("forgives a misspelt letter or two, if no label has the word as it is written", async () => {
  const labels = ["monday", "monitor", "sing", "king"];
  expect((await find(labels, "mondey")).all).toEqual(["monday"]);
  expect((await find(labels, "mnoday")).all).toEqual(["monday"]);
  const { all, others } = await find(["notation", "not"], "negation not");
  expect([all, others]).toEqual([["not", "notation"], []]);
  expect((await find(labels, "king")).all).toEqual(["king"]);
});

it("takes no notice of case and accents", async () => {
  expect((await find(["Élan vital", "Straße", "ПРИВЕТ"], "elan")).all).toEqual(["Élan vital"]);
  expect((await find(["Élan vital", "Straße", "ПРИВЕТ"], "привет")).all).toEqual(["ПРИВЕТ"]);
});

it("finds a feature by its index before labels that hold the number", async () => {
  const labels = ["a", "year 2", "b", "c"];
  expect((await find(labels, "2")).all).toEqual(["b", "year 2"]);
  expect((await find(labels, "#2")).all).toEqual(["b"]);
  expect((await find([...labels, "year 1999"], "1998")).all).toEqual([]);
});

it("finds literally what is no word, or part of one that no word resembles", async () => {
  const labels = ["a.b", "axb", "<script>alert(1)</script>", "(x", "東京の駅"];
  expect((await find(labels, ".")).all).toEqual(["a.b"]);
  expect((await find(labels, "<s")).all).toEqual(["<script>alert(1)</script>"]);
  expect((await find(labels, "(")).all.toSorted()).toEqual(["(x", "<script>alert(1)</script>"]);
  expect((await find(labels, "駅")).all).toEqual(["東京の駅"]);
});

it("puts the better linked first among equals", async () => {
  const index = Uint32Array.of(0, 1, 2);
  const features = { labels: ["king", "king", "king"], index, linkCounts: Uint32Array.of(3, 9, 0) };
  expect((await SearchIndex.of(features)).search("king").nodes).toEqual([1, 0, 2]);
});

it("finds nothing for nothing", async () => {
  expect((await find(["a"], "   ")).all).toEqual([]);
  expect((await find(["a"], "zebra")).all).toEqual([]);
});
