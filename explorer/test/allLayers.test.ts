import { expect, it } from "vitest";
import { AllLayers } from "../src/data/allLayers";

const LABELS = ["king; also queen", "red king", null, "kingdom", "music", "red wine", "Élan"];
const LAYERS = [0, 0, 1, 1, 2, 4, 4];

async function counts(query: string): Promise<Record<string, number>> {
  return Object.fromEntries((await AllLayers.of(LAYERS, LABELS)).count(query));
}

it("counts the labels with all words by layer, and those with some if none has all", async () => {
  expect(await counts("king")).toEqual({ 0: 2, 1: 1 });
  expect(await counts("red king")).toEqual({ 0: 1 });
  expect(await counts("red music")).toEqual({ 0: 1, 2: 1, 4: 1 });
});

it("goes by the words that the search of a layer goes by", async () => {
  expect(await counts("musical")).toEqual({ 2: 1 });
  expect(await counts("qeen")).toEqual({ 0: 1 });
  expect(await counts("elan of the")).toEqual({ 4: 1 });
});

it("finds nothing for an index, for no words and for what no layer has", async () => {
  for (const query of ["#1", " ", ";", "xylophagous"]) expect(await counts(query)).toEqual({});
});
