/** A layer's tables, layer-N.parquet and atlas/layer-N.parquet: row i is feature i. Read column by column. */
import { parseJson } from "./contract";
import {
  checkPositions,
  type Details,
  type Explanation,
  type Layer,
  type Links,
  layerOf,
  type Nearest,
  numbers,
  type Parts,
} from "./layer";
import { known, Table } from "./parquet";
import type { ListedRegion } from "./regions";

/** What the manifest says of a layer, beside its files. */
export interface About extends Pick<Layer, "modelId" | "displayName" | "layer" | "neuronpedia"> {
  /** Links join features of which one is among the `k` nearest of the other, with a cosine of `threshold` or more. */
  edges: { k: number; threshold: number };
}

/** A file and its name for messages. */
export interface NamedBytes {
  bytes: ArrayBuffer;
  name: string;
}

/** Throws ContractError, with the file's name, if they are no such tables. */
export async function layerOfTables(own: NamedBytes, frame: NamedBytes | null, about: About): Promise<Layer> {
  const table = new Table(own);
  const { edges: rule, ...names } = about;
  const all = await positionsOf(table);
  // Dead features have no position, and no node.
  const rows = Uint32Array.from(Array(table.length).keys()).filter((row) => !Number.isNaN(all[3 * row]));
  if (rows.length === 0) throw table.broken("no feature has a position");
  const optional = async <Value>(column: string) => {
    const values = table.has(column) ? await cells<Value>(table, column, rows) : [];
    return values.some(known) ? values : null;
  };
  const nearest = await neighbors(table, rows);
  const regions = listedRegions(table);
  return layerOf({
    ...names,
    deadCount: table.length - rows.length,
    index: rows,
    labels: await cells<string>(table, "label", rows),
    categories: (await optional<string>("category")) ?? Array.from(rows, () => null),
    density: numbers(await optional<number>("density")),
    maxActivation: numbers(await optional<number>("max_activation")),
    kept: numbers(await optional<number>("kept")),
    regions,
    regionIds: (await optional<string>("region_3")) ?? Array.from(rows, () => null),
    positions: positionsAt(rows, all, table),
    edges: strongPairs(nearest, rule),
    nearest,
    ...(frame === null
      ? { frame: null, passage: null }
      : await placeInFrame(new Table(frame), rows, table.length)),
  });
}

/** (3 * features,) x, y, z in the frame, by feature index; NaN for dead features. */
export async function framePositions(file: NamedBytes): Promise<Float32Array> {
  return positionsOf(new Table(file));
}

/** What the layer leaves out, by feature index. */
export async function detailsOfTable(file: NamedBytes): Promise<(index: number) => Details> {
  const table = new Table(file);
  const optional = async <Value>(column: string) =>
    table.has(column) ? await table.column<Value>(column) : null;
  const explainers = await optional<string>("explainer");
  const tokens = await optional<string[]>("top_tokens");
  // The first is the label.
  const explanations = await optional<Explanation[]>("explanations");
  return (index) => ({
    explainer: explainers?.[index] ?? null,
    otherExplanations: explanations?.[index]?.slice(1) ?? [],
    topTokens: tokens?.[index] ?? [],
  });
}

/** Pairs of which one is among the first `k` of the other with at least the threshold, each once. */
export function strongPairs(
  { offset, neighbor, weight }: Links,
  { k, threshold }: About["edges"],
): Layer["edges"] {
  // The table holds single precision, as the workflow compares.
  const least = Math.fround(threshold);
  const end = (node: number) => Math.min(offset[node]! + k, offset[node + 1]!);
  const names = (node: number, other: number) => {
    for (let at = offset[node]!; at < end(node); at++) {
      if (neighbor[at] === other) return weight[at]! >= least;
    }
    return false;
  };
  const source = new Uint32Array(neighbor.length);
  const target = new Uint32Array(neighbor.length);
  const cosine = new Float32Array(neighbor.length);
  let count = 0;
  for (let node = 0; node + 1 < offset.length; node++) {
    for (let at = offset[node]!; at < end(node); at++) {
      const other = neighbor[at]!;
      if (weight[at]! < least || (other < node && names(other, node))) continue;
      source[count] = Math.min(node, other);
      target[count] = Math.max(node, other);
      cosine[count++] = Math.min(1, weight[at]!);
    }
  }
  return { source: source.slice(0, count), target: target.slice(0, count), weight: cosine.slice(0, count) };
}

/** (3 * rows,) x, y, z; NaN where there is none. */
async function positionsOf(table: Table): Promise<Float32Array> {
  const positions = new Float32Array(3 * table.length);
  for (const [axis, column] of ["x", "y", "z"].entries()) {
    const values = await table.column<number>(column);
    for (let row = 0; row < table.length; row++) positions[3 * row + axis] = values[row] ?? Number.NaN;
  }
  return positions;
}

/** Those of some rows. Throws ContractError if one of them cannot be drawn. */
function positionsAt(rows: Uint32Array, all: Float32Array, { name }: Table): Float32Array {
  const positions = new Float32Array(3 * rows.length);
  for (let at = 0; at < positions.length; at++) {
    positions[at] = all[3 * rows[Math.floor(at / 3)]! + (at % 3)]!;
  }
  checkPositions(positions, rows, name);
  return positions;
}

/** The values of some rows; null where there is none. */
async function cells<Value>(table: Table, column: string, rows: Uint32Array): Promise<(Value | null)[]> {
  const values = await table.column<Value>(column);
  return Array.from(rows, (row) => values[row] ?? null);
}

async function placeInFrame(
  table: Table,
  rows: Uint32Array,
  features: number,
): Promise<Pick<Parts, "frame" | "passage">> {
  if (table.length !== features) {
    throw table.broken(`there are ${table.length} rows, and the layer has ${features} features`);
  }
  const integers = async (column: string) =>
    Int32Array.from(await cells<number>(table, column, rows), (value) => value ?? -1);
  const nearest = async (side: string): Promise<Nearest> => ({
    index: await integers(side),
    cosine: numbers(await cells<number>(table, `${side}_cosine`, rows))!,
    mutual: Uint8Array.from(await cells<boolean>(table, `${side}_mutual`, rows), Number),
  });
  return {
    frame: {
      positions: positionsAt(rows, await positionsOf(table), table),
      kept: numbers(await cells<number>(table, "kept", rows)),
    },
    passage: {
      track: await integers("track"),
      length: await integers("length"),
      previous: await nearest("previous"),
      next: await nearest("next"),
    },
  };
}

function listedRegions(table: Table): ListedRegion[] {
  const note = table.note("regions");
  return note === null ? [] : (parseJson(note, `${table.name}, regions`) as ListedRegion[]);
}

async function neighbors(table: Table, rows: Uint32Array): Promise<Links> {
  const lists = await table.column<number[]>("neighbors");
  const cosines = await table.column<number[]>("similarities");
  const nodeOf = new Int32Array(table.length).fill(-1);
  const offset = new Uint32Array(rows.length + 1);
  rows.forEach((row, node) => {
    nodeOf[row] = node;
    offset[node + 1] = offset[node]! + (lists[row]?.length ?? 0);
  });
  const neighbor = new Uint32Array(offset.at(-1)!);
  const weight = new Float32Array(neighbor.length);
  // Some 40 values per feature: plain loops take a third of the time of callbacks.
  for (let node = 0; node < rows.length; node++) {
    const row = rows[node]!;
    const list = lists[row] ?? [];
    const similarities = cosines[row] ?? [];
    if (list.length !== similarities.length) {
      throw table.broken(
        `feature ${row} has ${list.length} neighbors and ${similarities.length} similarities`,
      );
    }
    const start = offset[node]!;
    for (let at = 0; at < list.length; at++) {
      const near = nodeOf[list[at]!] ?? -1;
      if (near < 0) throw table.broken(`feature ${row} has neighbor ${list[at]}, which has no position`);
      neighbor[start + at] = near;
      weight[start + at] = similarities[at]!;
    }
  }
  return { offset, neighbor, weight };
}
