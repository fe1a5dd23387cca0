/** Finding features by the words of their labels, or by index. */
import MiniSearch from "minisearch";
import { fold } from "./text";

export interface Hits {
  /** Every node that matches, best first. */
  nodes: number[];
  /** How many of these, the first ones, hold all words; if none does, all of them. */
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
    tokenize,
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
   * words come before labels with some of them, whole words before beginnings of words. A word that no label has may
   * be misspelt by a letter or two. What no word matches, punctuation for one, is looked for literally.
   */
  search(query: string): Hits {
    const text = fold(query.trim());
    if (text === "") return { nodes: [], best: 0 };
    if (/^#\d+$/.test(text)) return equal(this.withIndex(text.slice(1)));
    const ranks = new Map<number, { words: number; score: number }>();
    const words = wordsOf(text);
    for (const word of words) {
      for (const { id, score } of this.matching(word)) {
        const rank = ranks.get(id);
        ranks.set(id, { words: (rank?.words ?? 0) + 1, score: (rank?.score ?? 0) + score });
      }
    }
    if (/^\d+$/.test(text)) {
      for (const node of this.withIndex(text, true)) ranks.set(node, { words: 1, score: Infinity });
    }
    if (ranks.size === 0) return equal(this.containing(text));
    const ranked = [...ranks].sort(([, a], [, b]) => b.words - a.words || b.score - a.score);
    const all = ranked.findIndex(([, rank]) => rank.words < words.length);
    return { nodes: ranked.map(([node]) => node), best: all > 0 ? all : ranked.length };
  }

  /** The labels with a word, or the beginnings of longer ones; if there are none, with the words nearest to it. */
  private matching(word: string) {
    const most = word.length < 4 ? 0 : word.length < 6 ? 1 : 2;
    for (let letters = 0; letters < most; letters++) {
      const found = this.words.search(word, { prefix: true, fuzzy: letters });
      if (found.length > 0) return found;
    }
    return this.words.search(word, { prefix: true, fuzzy: most });
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

function equal(nodes: number[]): Hits {
  return { nodes, best: nodes.length };
}

function tokenize(text: string): string[] {
  return text.match(/[\p{L}\p{N}\p{M}]+/gu) ?? [];
}

/** The words of a query that tell something; all if none does. */
function wordsOf(text: string): string[] {
  const words = [...new Set(tokenize(text))];
  const telling = words.filter((word) => !STOP_WORDS.has(word));
  return telling.length > 0 ? telling : words;
}
