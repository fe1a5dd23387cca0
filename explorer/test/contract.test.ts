import { describe, expect, it } from "vitest";
import { ContractError, parseIndex, parseJson, parseLayer, parseManifest } from "../src/data/contract";
import { rawLayer } from "./fixtures";

type Raw = ReturnType<typeof rawLayer>;

describe("parseLayer", () => {
  it("reads what the workflow writes and ignores keys it does not know", () => {
    const layer = parseLayer(rawLayer());
    expect(layer).toMatchObject({
      modelId: "m",
      displayName: "Model",
      layer: 2,
      deadCount: 1,
      sourceId: "2-res",
    });
    expect(layer.nodes).toHaveLength(4);
    expect(layer.nodeFacts.density).toEqual([0.1, 0.01, null, 0.001]);
    expect(layer.nodeFacts.explainer).toBeNull();
  });

  it("does without any free metadata", () => {
    const { nodes, edges } = rawLayer();
    const layer = parseLayer({ metadata: { modelId: "m", layers: [2] }, nodes, edges });
    expect(layer).toMatchObject({ displayName: "m", neuronpedia: null, deadCount: 0 });
  });

  it.each<[string, (raw: Raw) => void, RegExp]>([
    [
      "a null label",
      (raw) => (raw.nodes[1]!.label = null),
      /nodes\[1\]\.label must be a string or absent, not null/,
    ],
    ["a number as category", (raw) => (raw.nodes[0]!.category = 7), /nodes\[0\]\.category/],
    [
      "a position of two",
      (raw) => (raw.nodes[2]!.position = [1, 2]),
      /nodes\[2\]\.position must be three finite/,
    ],
    ["a position of null", (raw) => (raw.nodes[2]!.position = [1, 2, null as never]), /nodes\[2\]\.position/],
    [
      "a weight above one",
      (raw) => (raw.edges[0]!.weight = 1.2),
      /edges\[0\]\.weight must be a number from 0 to 1/,
    ],
    [
      "an unknown type",
      (raw) => (raw.edges[1]!.type = "cosine"),
      /edges\[1\]\.type must be one of coactivation/,
    ],
    ["no nodes", (raw) => (raw.nodes = []), /nodes is empty/],
    [
      "no model",
      (raw) => (raw.metadata.modelId = ""),
      /metadata\.modelId must be a non-empty string, not empty/,
    ],
    ["no layer", (raw) => (raw.metadata.layers = []), /metadata\.layers is empty/],
    [
      "facts of another length",
      (raw) => (raw.metadata.nodeFacts.density = [1]),
      /density has 1 entries for 4 nodes/,
    ],
    [
      "a text as density",
      (raw) => (raw.metadata.nodeFacts.density = [0, "x", 0, 0]),
      /density\[1\] must not be/,
    ],
  ])("refuses %s and says where", (_, spoil, message) => {
    const raw = rawLayer();
    spoil(raw);
    expect(() => parseLayer(raw)).toThrow(ContractError);
    expect(() => parseLayer(raw)).toThrow(message);
  });

  it.each([null, 3, "text", [], {}, { metadata: {} }])("refuses %j", (value) => {
    expect(() => parseLayer(value)).toThrow(ContractError);
  });
});

describe("parseManifest", () => {
  const sha256 = "a".repeat(64);
  const entry = { layer: 1, filePath: "layer-1.json", fileSize: 10, sha256, sourceId: "1-res" };

  it("sorts layers and keeps the compressed twin", () => {
    const gzip = { filePath: "layer-0.json.gz", fileSize: 5, sha256 };
    const manifest = parseManifest({ modelId: "m", layers: [entry, { ...entry, layer: 0, gzip }] });
    expect(manifest.layers.map((layer) => layer.layer)).toEqual([0, 1]);
    expect(manifest.layers[0]!.gzip).toEqual(gzip);
    expect(manifest.layers[1]!.gzip).toBeNull();
  });

  it("refuses a hash that is none, and a manifest without layers", () => {
    expect(() => parseManifest({ modelId: "m", layers: [{ ...entry, sha256: "1234" }] })).toThrow(
      /64 hexadecimal/,
    );
    expect(() => parseManifest({ modelId: "m", layers: [] })).toThrow(/lists no layer/);
  });
});

describe("parseIndex", () => {
  it("falls back on the id where there is no name", () => {
    const models = parseIndex({ models: [{ modelId: "m", manifest: "m/manifest.json" }] });
    expect(models).toEqual([{ modelId: "m", displayName: "m", manifest: "m/manifest.json" }]);
  });

  it("refuses an empty index", () => {
    expect(() => parseIndex({ models: [] })).toThrow(/lists no model/);
  });
});

describe("parseJson", () => {
  it("tells a cut file from a host's error page", () => {
    expect(() => parseJson('{"a": [1, 2', "layer-1.json")).toThrow(
      /layer-1\.json is not valid JSON, or is cut short/,
    );
    expect(() => parseJson("<!doctype html>", "layer-1.json")).toThrow(/is a web page, not JSON/);
  });
});
