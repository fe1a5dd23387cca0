import { expect, it } from "vitest";
import { INITIAL, layerAfter, modelOf, Store } from "../src/page/state";

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
