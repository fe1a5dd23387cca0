/** Finding features by the words of their labels, or by index. */
import MiniSearch from "minisearch";
import { fold } from "./text";

export interface Hits {
  /** Every node that matches, best first. */
  nodes: number[];
  /** How many of these, the first ones, hold all words. If none does, all are as good. */
  best: number;
}

/** Words that say nothing about a label, unless a query has no others. */
const STOP_WORDS = new Set(
  "a an and are as at be by for from in into is it its of on or that the their this to with".split(" "),
);
/** Labels indexed at a time: a few milliseconds. */
const CHUNK = 500;

export class SearchIndex {
  private readonly words = new MiniSearch<{ id: number; label: string }>({
    fields: ["label"],
    processTerm: (term) => fold(term),
    tokenize: (text) => text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [],
  });

  private constructor(
    private readonly labels: (string | null)[],
    private readonly index: Uint32Array,
  ) {}

  /** Of labels and feature indexes, by node. */
  static async of(labels: (string | null)[], index: Uint32Array): Promise<SearchIndex> {
    const made = new SearchIndex(labels, index);
    const documents = labels.flatMap((label, id) => (label === null ? [] : [{ id, label }]));
    await made.words.addAllAsync(documents, { chunkSize: CHUNK });
    return made;
  }

  /**
   * Nodes that match a query, best first.
   *
   * Digits match the feature with that index first; "#12" matches the beginnings of indexes only. Labels with all
   * words come before labels with any of them, whole words before beginnings of words. A word that no label has may
   * be misspelt by a letter or two. What no word matches, punctuation for one, is looked for literally.
   */
  search(query: string): Hits {
    const text = fold(query.trim());
    if (text === "") return { nodes: [], best: 0 };
    if (/^#\d+$/.test(text)) return only(this.withIndex(text.slice(1)));
    const same = /^\d+$/.test(text) ? this.withIndex(text, true) : [];
    const all = this.matching(text, "AND");
    const any = this.matching(text, "OR");
    const nodes = [...new Set([...same, ...all, ...any])];
    if (nodes.length === 0) return only(this.containing(text));
    const best = new Set([...same, ...all]).size;
    return { nodes, best: best || nodes.length };
  }

  private matching(text: string, combineWith: "AND" | "OR"): number[] {
    const words = text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
    const telling = words.filter((word) => !STOP_WORDS.has(word));
    const queries = (telling.length > 0 ? telling : words).map((word) => ({
      queries: [word],
      ...this.tolerance(word),
    }));
    return queries.length === 0
      ? []
      : this.words.search({ combineWith, queries }).map(({ id }) => id as number);
  }

  /** How far a word of the index may be from this one: the least that finds anything. */
  private tolerance(word: string): { prefix: boolean; fuzzy: number | false } {
    const most = word.length < 4 ? 0 : word.length < 6 ? 1 : 2;
    for (let letters = 0; letters < most; letters++) {
      const tolerance = { prefix: true, fuzzy: letters || (false as const) };
      if (this.words.search(word, tolerance).length > 0) return tolerance;
    }
    return { prefix: true, fuzzy: most || false };
  }

  private withIndex(digits: string, whole = false): number[] {
    const nodes = [...this.index.keys()].filter((node) => {
      const index = String(this.index[node]);
      return whole ? index === digits : index.startsWith(digits);
    });
    return nodes.sort((a, b) => this.index[a]! - this.index[b]!);
  }

  private containing(text: string): number[] {
    return [...this.labels.keys()].filter((node) => {
      const label = this.labels[node];
      return label != null && fold(label).includes(text);
    });
  }
}

function only(nodes: number[]): Hits {
  return { nodes, best: nodes.length };
}
