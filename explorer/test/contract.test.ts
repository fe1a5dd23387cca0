import { describe, expect, it } from "vitest";
import { ContractError, parseIndex, parseJson, parseLayer, parseManifest } from "../src/data/contract";
import { rawLayer } from "./fixtures";

type Raw = ReturnType<typeof rawLayer>;

describe("parseLayer", () => {
  it("accepts what the workflow writes, and metadata that it does not know", () => {
    const raw = rawLayer();
    expect(parseLayer(raw, "layer-2.json")).toBe(raw);
  });

  it.each<[string, (raw: Raw) => void, string]>([
    ["a null label", (raw) => (raw.nodes[1]!.label = null), "nodes[1].label must be string (it is null)"],
    [
      "a position of two",
      (raw) => raw.nodes[2]!.position.pop(),
      "nodes[2].position must NOT have fewer than 3 items (it is [2,4])",
    ],
    [
      "an infinite position",
      (raw) => (raw.nodes[2]!.position[0] = Infinity),
      "nodes[2].position[0] must be number",
    ],
    [
      "an unknown key",
      (raw) => Object.assign(raw.nodes[3]!, { colour: 1 }),
      "nodes[3] must NOT have additional properties: colour",
    ],
    [
      "an unknown type",
      (raw) => (raw.edges[1]!.type = "cosine"),
      'edges[1].type must be equal to one of the allowed values: coactivation, attention, circuit (it is "cosine")',
    ],
    [
      "an edge without an end",
      (raw) => delete (raw.edges[2] as Partial<Raw["edges"][0]>).target,
      "edges[2] must have required property 'target'",
    ],
    ["no nodes", (raw) => (raw.nodes = []), "nodes must NOT have fewer than 1 items"],
    [
      "facts of another length",
      (raw) => (raw.metadata.nodeFacts.density = [1]),
      "metadata.nodeFacts.density has 1 entries for 4 nodes",
    ],
    [
      "a text as density",
      (raw) => (raw.metadata.nodeFacts.density = [0, "x", 0, 0]),
      'metadata.nodeFacts.density[1] must be number,null (it is "x")',
    ],
  ])("refuses %s and says where", (_, spoil, message) => {
    const raw = rawLayer();
    spoil(raw);
    const parse = () => parseLayer(raw, "mine.json");
    expect(parse).toThrow(ContractError);
    expect(parse).toThrow(`mine.json: ${message}`);
  });

  it.each([
    [null, "the file must be object (it is null)"],
    [[], "the file must be object (it is [])"],
    [{}, "the file must have required property 'metadata' (it is {})"],
    [{ metadata: [], nodes: [], edges: [] }, "metadata must be object (it is [])"],
  ])("refuses %j", (value, message) => {
    expect(() => parseLayer(value, "mine.json")).toThrow(message);
  });
});

describe("parseManifest", () => {
  const sha256 = "a".repeat(64);
  const counts = { featureCount: 3, edgeCount: 2, labeledCount: 1, deadCount: 0 };
  const entry = { layer: 1, filePath: "layer-1.json", fileSize: 10, sha256, ...counts };
  const about = {
    modelId: "m",
    displayName: "Model",
    totalLayers: 2,
    featuresPerLayer: 3,
    neuronpediaModelId: null,
    neuronpediaSourceSet: null,
    pipelineVersion: "0.1.0",
    attribution: null,
    generatedAt: "2026-01-31T12:00:00Z",
  };

  it("sorts layers and keeps the other files of each", () => {
    const gzip = { filePath: "layer-0.json.gz", fileSize: 5, sha256 };
    const table = { filePath: "layer-0.parquet", fileSize: 5, sha256 };
    const tableAlone = { layer: 2, table, edges: { k: 25, threshold: 0.25 }, ...counts };
    const layers = [entry, tableAlone, { ...entry, layer: 0, gzip, table }];
    const sorted = [layers[2], layers[0], layers[1]];
    expect(parseManifest({ ...about, layers }, "m/manifest.json").layers).toEqual(sorted);
  });

  it.each([
    [{ ...about, layers: [] }, "layers must NOT have fewer than 1 items"],
    [{ ...about, layers: [{ layer: 1, ...counts }] }, "layers[0] must have required property 'filePath'"],
    [
      { ...about, layers: [{ ...entry, sha256: "1234" }] },
      'layers[0].sha256 must match pattern "^[0-9a-f]{64}$" (it is "1234")',
    ],
    [{ ...about, layers: [{ ...entry, gzip: null }] }, "layers[0].gzip must be object (it is null)"],
  ])("refuses what is no manifest, with its name: %#", (value, message) => {
    expect(() => parseManifest(value, "m/manifest.json")).toThrow(`m/manifest.json: ${message}`);
  });
});

describe("parseIndex", () => {
  it("lists the models, of which there is at least one", () => {
    const models = [{ modelId: "m", displayName: "Model", manifest: "m/manifest.json" }];
    expect(parseIndex({ models }, "index.json")).toEqual(models);
    expect(() => parseIndex({ models: [] }, "index.json")).toThrow(
      "index.json: models must NOT have fewer than 1 items",
    );
  });
});

describe("parseJson", () => {
  it("tells an incomplete file from a host's error page", () => {
    expect(() => parseJson('{"a": [1, 2', "layer-1.json")).toThrow(
      /layer-1\.json is not valid JSON, or is incomplete/,
    );
    expect(() => parseJson("<!doctype html>", "layer-1.json")).toThrow(/is a web page, not JSON/);
  });
});
