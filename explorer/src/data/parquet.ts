/** Parquet files of the workflow. */
import { type FileMetaData, parquetMetadata, parquetRead, parquetSchema } from "hyparquet";
import { ContractError } from "./contract";

export type Column<Value> = ArrayLike<Value | null>;

/** A Parquet file, read column by column. */
export class Table {
  private readonly bytes: ArrayBuffer;
  private readonly metadata: FileMetaData;
  private readonly names: Set<string>;

  readonly name: string;

  /** Throws ContractError if it is no Parquet file. */
  constructor({ bytes, name }: { bytes: ArrayBuffer; name: string }) {
    this.bytes = bytes;
    this.name = name;
    try {
      this.metadata = parquetMetadata(bytes);
    } catch (error) {
      throw new ContractError(
        `${name} is not a Parquet file, or is incomplete (${(error as Error).message})`,
      );
    }
    this.names = new Set(parquetSchema(this.metadata).children.map(({ element }) => element.name));
  }

  /** Number of rows. */
  get length(): number {
    return Number(this.metadata.num_rows);
  }

  has(column: string): boolean {
    return this.names.has(column);
  }

  /** The text that the file holds under `key` beside its columns, or null. */
  note(key: string): string | null {
    return this.metadata.key_value_metadata?.find((entry) => entry.key === key)?.value ?? null;
  }

  broken(what: string): ContractError {
    return new ContractError(`${this.name}: ${what}`);
  }

  /** Null where the table has no value. */
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

export function known(value: unknown): boolean {
  return value !== null && value !== undefined && !Number.isNaN(value);
}
