/** layer-N.parquet, the layer's table: row i is feature i. Read column by column. */
import { type FileMetaData, parquetMetadata, parquetRead } from "hyparquet";
import { ContractError } from "./contract";
import { checkCoordinate, type Details, type Layer, type Links, layerOf, numbers } from "./layer";

/** What the manifest says of a layer, beside its files. */
export interface About extends Pick<Layer, "modelId" | "displayName" | "layer" | "neuronpedia"> {
  /** Links join features of which one is among the `k` nearest of the other, with a cosine of `threshold` or more. */
  edges: { k: number; threshold: number };
}

type Column<Value> = ArrayLike<Value | null>;

/** Throws ContractError, with the file's `name`, if it is no such table. */
export async function layerOfTable(bytes: ArrayBuffer, about: About, name: string): Promise<Layer> {
  const table = new Table(bytes, name);
  const { edges: rule, ...names } = about;
  const axes = [
    await table.column<number>("x"),
    await table.column<number>("y"),
    await table.column<number>("z"),
  ];
  // Dead features have no position, and no node.
  const rows = Uint32Array.from(Array.from(axes[0]!).flatMap((x, row) => (known(x) ? [row] : [])));
  if (rows.length === 0) throw table.broken("no feature has a position");
  const positions = new Float32Array(3 * rows.length);
  rows.forEach((row, node) => {
    axes.forEach((values, axis) => {
      const value = values[row] ?? Number.NaN;
      checkCoordinate(value, () => `${name}: ${"xyz"[axis]} of feature ${row}`);
      positions[3 * node + axis] = value;
    });
  });
  const live = <Value>(column: Column<Value>) => Array.from(rows, (row) => column[row] ?? null);
  const optional = async <Value>(column: string) => {
    const values = table.has(column) ? live(await table.column<Value>(column)) : [];
    return values.some(known) ? values : null;
  };
  const nearest = await neighbors(table, rows, axes[0]!.length);
  return layerOf({
    ...names,
    deadCount: axes[0]!.length - rows.length,
    index: rows,
    labels: live(await table.column<string>("label")),
    categories: (await optional<string>("category")) ?? Array.from(rows, () => null),
    density: numbers(await optional<number>("density")),
    maxActivation: numbers(await optional<number>("max_activation")),
    kept: numbers(await optional<number>("kept")),
    positions,
    edges: strongPairs(nearest, rule),
    nearest,
  });
}

/** What the layer leaves out, by feature index. */
export async function detailsOfTable(bytes: ArrayBuffer, name: string): Promise<(index: number) => Details> {
  const table = new Table(bytes, name);
  const optional = async <Value>(column: string) =>
    table.has(column) ? await table.column<Value>(column) : null;
  const explainers = await optional<string>("explainer");
  const tokens = await optional<string[]>("top_tokens");
  return (index) => ({ explainer: explainers?.[index] ?? null, topTokens: tokens?.[index] ?? [] });
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

class Table {
  private readonly metadata: FileMetaData;
  private readonly names: Set<string>;

  constructor(
    private readonly bytes: ArrayBuffer,
    private readonly name: string,
  ) {
    try {
      this.metadata = parquetMetadata(bytes);
    } catch (error) {
      throw new ContractError(
        `${name} is not a Parquet file, or is incomplete (${(error as Error).message})`,
      );
    }
    this.names = new Set(this.metadata.schema.map((element) => element.name));
  }

  has(column: string): boolean {
    return this.names.has(column);
  }

  broken(what: string): ContractError {
    return new ContractError(`${this.name}: ${what}`);
  }

  async column<Value>(column: string): Promise<Column<Value>> {
    if (!this.has(column)) throw this.broken(`there is no column ${column}`);
    const chunks: ArrayLike<Value | null>[] = [];
    await parquetRead({
      file: this.bytes,
      metadata: this.metadata,
      columns: [column],
      onChunk: ({ columnData }) => chunks.push(columnData as ArrayLike<Value | null>),
    });
    return chunks.length === 1 ? chunks[0]! : chunks.flatMap((chunk) => Array.from(chunk));
  }
}

async function neighbors(table: Table, rows: Uint32Array, count: number): Promise<Links> {
  const lists = await table.column<number[]>("neighbors");
  const cosines = await table.column<number[]>("similarities");
  const nodeOf = new Int32Array(count).fill(-1);
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

function known(value: unknown): boolean {
  return value !== null && value !== undefined && !Number.isNaN(value);
}
