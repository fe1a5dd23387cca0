/** Named sets of features, stored in this browser (IndexedDB). */
import { createStore, del, entries, set, type UseStore } from "idb-keyval";
import type { FeatureSet } from "./featureSet";

export class SavedSets {
  private readonly sets: UseStore;

  constructor(name = "sae-atlas") {
    this.sets = createStore(`${name}-sets`, "sets");
  }

  /** The sets of a model, by name. */
  async of(modelId: string): Promise<FeatureSet[]> {
    const stored = await entries<[string, string], FeatureSet>(this.sets);
    const sets = stored.filter(([[model]]) => model === modelId).map(([, saved]) => saved);
    return sets.sort((a, b) => a.name.localeCompare(b.name, "en"));
  }

  /** Replaces the set of that name. */
  async save(modelId: string, saved: FeatureSet): Promise<void> {
    await set([modelId, saved.name], saved, this.sets);
  }

  async remove(modelId: string, name: string): Promise<void> {
    await del([modelId, name], this.sets);
  }
}
