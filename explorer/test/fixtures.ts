/** A small layer as the workflow writes it, to be changed by each test. */
import { parseLayer } from "../src/data/contract";
import { type Layer, layerOfGraph, onMap } from "../src/data/layer";

export interface RawNode {
  id: string;
  featureId: { modelId: string; layer: number; index: number };
  position: number[];
  label?: unknown;
  category?: unknown;
}

/** Features 0, 1, 3 and 4 (2 is dead), linked 0-1 (0.9), 0-3 (0.4), 3-4 (0.6). */
export function rawLayer() {
  const labels = ["friday; also monday", "weekend", undefined, "piece: -day in holiday"];
  const nodes: RawNode[] = [0, 1, 3, 4].map((index, at) => ({
    id: `m:2:${index}`,
    featureId: { modelId: "m", layer: 2, index },
    position: [at, 2 * at, -at],
    ...(labels[at] === undefined ? {} : { label: labels[at] }),
  }));
  const edge = (a: number, b: number, weight: number) => ({
    id: `m:2:${a}-${b}`,
    source: `m:2:${a}`,
    target: `m:2:${b}`,
    weight,
    type: "coactivation",
  });
  return {
    metadata: {
      modelId: "m",
      displayName: "Model",
      layers: [2],
      version: "0.1.0",
      sourceId: "2-res",
      featureCount: 4,
      edgeCount: 3,
      labeledCount: 3,
      deadCount: 1,
      bounds: { min: [0, 0, -3], max: [3, 6, 0] },
      parameters: {},
      provenance: {},
      unknownKey: { anything: true },
      nodeFacts: { density: [0.1, 0.01, null, 0.001] } as Record<string, unknown>,
      neuronpedia: { modelId: "m", sourceId: "2-res" } as unknown,
    },
    nodes,
    edges: [edge(0, 1, 0.9), edge(0, 3, 0.4), edge(3, 4, 0.6)],
  };
}

export function prepared(raw: unknown = rawLayer()): Layer {
  return layerOfGraph(parseLayer(raw, "layer-2.json"), "layer-2.json");
}

/** Its features on these tracks, in the frame of all layers; `nearest` and `mutual`: in either adjacent layer. */
export function inFrame(
  layer: number,
  track: number[],
  nearest = [-1, -1, -1, -1],
  mutual = [0, 0, 0, 0],
): Layer {
  const own = prepared();
  const side = {
    index: Int32Array.from(nearest),
    cosine: Float32Array.of(0.5, 0.25, 0.75, 0.125),
    mutual: Uint8Array.from(mutual),
  };
  const passage = { track: Int32Array.from(track), length: new Int32Array(4), previous: side, next: side };
  const frame = { ...own.maps.own, positions: own.positions.map((value) => -value) };
  return onMap({ ...own, layer, index: own.index.slice(), maps: { ...own.maps, frame }, passage }, "frame");
}
