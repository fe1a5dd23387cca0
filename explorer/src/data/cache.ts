/**
 * Layers kept in the browser (IndexedDB), under the sha256 of their plain JSON.
 *
 * A layer whose bytes changed has another sha256, so what is found is never out of date. The least recently
 * used are removed once all together exceed the budget.
 */
import { createStore, del, delMany, get, keys, set, type UseStore, update } from "idb-keyval";

/** Bytes. Some 40 compressed layers of 16,384 features with labels. */
export const BUDGET = 256 * 1024 * 1024;

interface Usage {
  [sha256: string]: { size: number; used: number };
}

export class LayerCache {
  private readonly bytes: UseStore;
  private readonly usage: UseStore;
  private readonly budget: number;
  private readonly now: () => number;

  constructor(budget = BUDGET, name = "sae-atlas", now: () => number = Date.now) {
    this.bytes = createStore(`${name}-layers`, "bytes");
    this.usage = createStore(`${name}-usage`, "usage");
    this.budget = budget;
    this.now = now;
  }

  /** The bytes kept under `sha256`, as they came (compressed or not), or undefined. */
  async get(sha256: string): Promise<ArrayBuffer | undefined> {
    const found = await get<ArrayBuffer>(sha256, this.bytes);
    if (found) await this.touch(sha256, found.byteLength);
    return found;
  }

  /**
   * Keeps `bytes`, and removes the least recently used others until all fit the budget.
   * What alone exceeds the budget is not kept. Rejects if the browser refuses to store (its quota, private windows).
   */
  async put(sha256: string, bytes: ArrayBuffer): Promise<void> {
    if (bytes.byteLength > this.budget) return;
    await this.evict(this.budget - bytes.byteLength, sha256);
    try {
      await set(sha256, bytes, this.bytes);
    } catch (error) {
      if ((error as Error).name !== "QuotaExceededError") throw error;
      await this.evict(0, sha256);
      await set(sha256, bytes, this.bytes);
    }
    await this.touch(sha256, bytes.byteLength);
  }

  async delete(sha256: string): Promise<void> {
    await del(sha256, this.bytes);
    await this.updateUsage((usage) => delete usage[sha256]);
  }

  private async touch(sha256: string, size: number): Promise<void> {
    await this.updateUsage((usage) => (usage[sha256] = { size, used: this.now() }));
  }

  /** Removes least recently used layers until those left take at most `room` bytes. */
  private async evict(room: number, except: string): Promise<void> {
    const usage = (await get<Usage>("usage", this.usage)) ?? {};
    const kept = (await keys<string>(this.bytes)).filter((key) => key !== except);
    // Bytes without a record of use (a tab closed in between) go first.
    kept.sort((a, b) => (usage[b]?.used ?? 0) - (usage[a]?.used ?? 0));
    let total = 0;
    const removed = kept.filter((key) => {
      total += usage[key]?.size ?? Infinity;
      return total > room;
    });
    if (removed.length === 0) return;
    await delMany(removed, this.bytes);
    await this.updateUsage((records) => {
      for (const key of removed) delete records[key];
    });
  }

  private async updateUsage(change: (usage: Usage) => void): Promise<void> {
    await update<Usage>(
      "usage",
      (usage = {}) => {
        change(usage);
        return usage;
      },
      this.usage,
    );
  }
}
