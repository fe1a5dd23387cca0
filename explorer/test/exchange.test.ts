import { expect, it } from "vitest";
import {
  csvText,
  indicesText,
  jsonText,
  type NamedFeature,
  readFeatures,
  type Scope,
} from "../src/data/exchange";

const SCOPE: Scope = {
  models: new Set(["gemma-2-2b", "gemma"]),
  layer: 12,
  sources: new Map([
    [11, "11-gemmascope-res-16k"],
    [12, "12-gemmascope-res-16k"],
    [13, null],
  ]),
};

const at = (layer: number, ...indices: number[]) => indices.map((index) => ({ layer, index }));
const read = (text: string) => readFeatures(text, SCOPE);

it.each([
  ["3, 4;5\n6", at(12, 3, 4, 5, 6)],
  ["#7 [8, 9] '10'", at(12, 7, 8, 9, 10)],
  ["5-7", at(12, 5, 6, 7)],
  ["gemma-2-2b:11:45 13:6", [...at(11, 45), ...at(13, 6)]],
  ["https://www.neuronpedia.org/gemma-2-2b/11-gemmascope-res-16k/45?embed=true", at(11, 45)],
  ["[1, 2]", at(12, 1, 2)],
  ['{"11": [1, 2], "13": [3]}', [...at(11, 1, 2), ...at(13, 3)]],
  ['[{"modelId": "gemma-2-2b", "layer": "11-gemmascope-res-16k", "index": "45"}]', at(11, 45)],
  ['index,label\n4,"a, b"\n5,c', at(12, 4, 5)],
  ['label\tlayer\tindex\n"x ""y"""\t11\t4', at(11, 4)],
])("reads %j", (text, features) => {
  expect(read(text)).toMatchObject({ features, unreadable: [] });
});

it("reads what it writes", () => {
  const features: NamedFeature[] = [
    { layer: 11, index: 4, label: 'days, "weeks"', neuronpedia: null },
    {
      layer: 12,
      index: 9,
      label: null,
      neuronpedia: { modelId: "gemma-2-2b", sourceId: "12-gemmascope-res-16k" },
    },
  ];
  const ids = [...at(11, 4), ...at(12, 9)];
  const json = jsonText("gemma-2-2b", "mine", features);
  expect(JSON.parse(json).features[1].neuronpedia).toEqual({
    modelId: "gemma-2-2b",
    sourceId: "12-gemmascope-res-16k",
    index: 9,
  });
  expect(read(json)).toMatchObject({ features: ids, name: "mine", unreadable: [] });
  expect(read(csvText("gemma-2-2b", features))).toMatchObject({ features: ids, unreadable: [] });
  expect(read(indicesText(ids)).features).toEqual(ids);
  expect(indicesText(at(12, 1, 2))).toBe("[1, 2]");
});

it("says what is not here and what it does not understand", () => {
  const { features, elsewhere, unreadable } = read(
    "1 gpt2-small:12:5 40:2 neuronpedia.org/gemma-2-2b/12-gemmascope-mlp-16k/7 word 99999999",
  );
  expect(features).toEqual(at(12, 1));
  expect([...elsewhere]).toEqual([
    ["of another model, gpt2-small", 1],
    ["of layer 40, which is not here", 1],
    ["of another SAE, 12-gemmascope-mlp-16k", 1],
  ]);
  expect(unreadable).toEqual(["word", "99999999"]);
  for (const text of ["[1, {}, null, [2.5]]", '{"a": 1}', "[1, -2]", '[{"index": 1e9}]']) {
    expect(read(text).features.every(({ index }) => index === 1)).toBe(true);
  }
});

it("reads the features of an attribution graph", () => {
  const node = (node_id: string, layer: string, feature: number | null, feature_type: string) => ({
    node_id,
    layer,
    feature,
    feature_type,
  });
  const nodes = [
    node("12_45_3", "12", 1641, "cross layer transcoder"),
    node("12_45_4", "12", 1641, "cross layer transcoder"),
    node("other", "11", 46, "transcoder"),
    node("E_101_0", "E", 101, "embedding"),
    node("0_0_8", "0", -1, "mlp reconstruction error"),
    node("27_22605_10", "27", 22605, "logit"),
  ];
  const graph = (metadata: object) => read(JSON.stringify({ metadata, nodes, links: [] }));
  const features = [...at(12, 45, 45), ...at(11, 46)];
  expect(graph({ scan: "gemma-2-2b", slug: "days" })).toMatchObject({
    features,
    name: "days",
    ofUnknownSae: true,
  });
  const details = (set: string) => ({ feature_details: { neuronpedia_source_set: set } });
  expect(graph(details("gemmascope-res-16k"))).toMatchObject({ features, ofUnknownSae: false });
  expect(graph(details("gemmascope-transcoder-16k")).features).toEqual([]);
  expect([...graph({ scan: "qwen" }).elsewhere]).toEqual([["of another model, qwen", 3]]);
});
