/**
 * Layers stored in the browser (IndexedDB), each file under its sha256.
 *
 * A file whose bytes changed has another sha256, so an entry is never out of date. When all together exceed the
 * budget, the least recently used are removed.
 */
import { createStore, del, delMany, entries, get, keys, set, type UseStore } from "idb-keyval";

/** Bytes. Some 40 tables of 16,384 features. */
const BUDGET = 256 * 1024 * 1024;

/** Of the file under the same key. */
interface Use {
  size: number;
  time: number;
}

export class LayerCache {
  private readonly bytes: UseStore;
  private readonly uses: UseStore;

  constructor(
    private readonly budget = BUDGET,
    name = "sae-atlas",
    private readonly now: () => number = Date.now,
  ) {
    this.bytes = createStore(`${name}-layers`, "bytes");
    this.uses = createStore(`${name}-usage`, "usage");
  }

  /** The bytes stored under `sha256`, compressed or not as they were received, or undefined. */
  async get(sha256: string): Promise<ArrayBuffer | undefined> {
    const bytes = await get<ArrayBuffer>(sha256, this.bytes);
    // Nobody waits for the record of use.
    if (bytes) this.touch(sha256, bytes.byteLength).catch(() => {});
    return bytes;
  }

  /**
   * Stores `bytes`, and removes the least recently used others until all fit the budget.
   * A file larger than the budget is not stored. Rejects if the browser refuses (its quota, private windows).
   */
  async put(sha256: string, bytes: ArrayBuffer): Promise<void> {
    if (bytes.byteLength > this.budget) return;
    // Before the bytes: while this file is stored, another must not take it for a forgotten one.
    await this.touch(sha256, bytes.byteLength);
    await this.evict(this.budget - bytes.byteLength, sha256);
    try {
      await set(sha256, bytes, this.bytes);
    } catch (error) {
      if ((error as Error).name !== "QuotaExceededError") throw error;
      await this.evict(0, sha256);
      await set(sha256, bytes, this.bytes);
    }
  }

  async delete(sha256: string): Promise<void> {
    await del(sha256, this.bytes);
    await del(sha256, this.uses);
  }

  private touch(sha256: string, size: number): Promise<void> {
    return set(sha256, { size, time: this.now() }, this.uses);
  }

  /** Removes least recently used layers until those left take at most `room` bytes. */
  private async evict(room: number, except: string): Promise<void> {
    const uses = new Map(await entries<string, Use>(this.uses));
    const stored = (await keys<string>(this.bytes)).filter((key) => key !== except);
    // Bytes without a record of use (of an earlier version) go first.
    stored.sort((a, b) => (uses.get(b)?.time ?? 0) - (uses.get(a)?.time ?? 0));
    let total = 0;
    const removed = stored.filter((key) => {
      total += uses.get(key)?.size ?? Infinity;
      return total > room;
    });
    await delMany(removed, this.bytes);
    await delMany(removed, this.uses);
  }
}
