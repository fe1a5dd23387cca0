import { expect, it } from "vitest";
import { INITIAL, layerAfter, modelOf, Store, StoreBeside } from "../src/page/state";

it("calls followers of what changed, in order, and with what others changed meanwhile", () => {
  const store = new Store(INITIAL);
  const calls: string[] = [];
  store.follow(["selected"], ({ selected }) => {
    calls.push(`first ${selected}`);
    if (selected !== null) store.update({ hits: { query: "", nodes: [selected], best: 1, whole: true } });
  });
  store.follow(["hits"], ({ hits }) => calls.push(`hits ${hits?.nodes}`));
  store.follow(["selected", "theme"], ({ selected, hits }) => calls.push(`last ${selected} ${hits?.nodes}`));
  expect(calls.splice(0)).toEqual(["first null", "hits undefined", "last null undefined"]);
  store.update({ selected: 3, theme: "dark" });
  expect(calls.splice(0)).toEqual(["first 3", "hits 3", "last 3 3"]);
  store.update({ selected: 3, coloring: "index" });
  expect(calls).toEqual([]);
});

it("calls a follower of parts of the state only when one of them has changed", () => {
  const store = new Store(INITIAL);
  const calls: unknown[] = [];
  store.follow(
    ({ beside }) => [beside.selected],
    ({ beside }) => calls.push(beside.selected),
  );
  store.update({ beside: { ...INITIAL.beside, pointedAt: 2 } });
  store.update({ beside: { ...INITIAL.beside, selected: 5 } });
  expect(calls).toEqual([null, 5]);
});

it("gives the second map a half of its own, and the rest in common with the first", () => {
  const page = new Store({ ...INITIAL, selected: 1 });
  const second = new StoreBeside(page);
  page.update({ query: "days", compared: { modelId: "m", layer: 5 } });
  second.update({ selected: 7 });
  expect(second.current).toMatchObject({ selected: 7, query: "days", wanted: { modelId: "m", layer: 5 } });
  expect(page.current).toMatchObject({ selected: 1, beside: { selected: 7 }, wanted: null });
});

it("knows the chosen model and its neighbouring layers", () => {
  const layers = [2, 5, 7].map((layer) => ({ layer, filePath: "f", fileSize: 1, sha256: "" }));
  const url = new URL("http://127.0.0.1/m/manifest.json");
  const model = { modelId: "m", displayName: "M", neuronpediaModelId: null, layers, url, offline: false };
  const state = { ...INITIAL, manifests: { m: model }, wanted: { modelId: "m", layer: 5 } };
  expect(modelOf(state)).toBe(model);
  expect([-1, 1].map((by) => layerAfter(state, by))).toEqual([2, 7]);
  expect(layerAfter({ ...state, wanted: { modelId: "m", layer: 7 } }, 1)).toBeNull();
  expect(layerAfter({ ...state, wanted: null }, 1)).toBeNull();
});
