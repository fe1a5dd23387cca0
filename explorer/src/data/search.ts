/** Finding features by the words of their labels, or by index. */
import MiniSearch, { type SearchResult } from "minisearch";
import { fold, WORDS } from "./text";

export interface Hits {
  /** Every node that matches, best first. */
  nodes: number[];
  /** How many of these, the first ones, have all words; if none has, how many have any. */
  best: number;
  /** False if none has all words, but for a letter each. */
  whole: boolean;
}

/** How well a word of a label matches one of the query: "day" for "day", "daybreak" for "day", "music" for "musical". */
const [WHOLE, BEGINNING, SHORTER] = [1, 0.7, 0.6];
/** "monday" for "mondey", "mnoday". */
const ONE_OFF = 0.5;
export const TWO_OFF = 0.25;

/** How well a label matches a query. */
interface Rank {
  /** How many words of the query it has, at most a letter off. */
  words: number;
  /** Of these words together. */
  quality: number;
  /** MiniSearch's (BM25), which decides between equals. */
  score: number;
}

/** Words that say nothing about a label, unless a query has no others. */
const STOP_WORDS = new Set(
  "a an and are as at be by for from in into is it its of on or that the their this to with".split(" "),
);
/** Labels indexed at a time: a few milliseconds. */
const CHUNK = 500;

/** What is searched, by node. */
export interface Searchable {
  labels: (string | null)[];
  /** Feature indexes. */
  index: Uint32Array;
  /** Numbers of links: more put a feature before others that match as well. */
  linkCounts: Uint32Array;
}

interface Labelled {
  id: number;
  label: string;
}

/** Labels by their words. */
export class WordIndex {
  private readonly words = new MiniSearch<Labelled>({
    fields: ["label"],
    processTerm: (term) => fold(term),
    tokenize,
  });

  private constructor() {}

  static async of(labelled: Labelled[]): Promise<WordIndex> {
    const made = new WordIndex();
    await made.words.addAllAsync(labelled, { chunkSize: CHUNK });
    return made;
  }

  /** Number of labels. */
  get size(): number {
    return this.words.documentCount;
  }

  /** The labels with a word or longer ones that begin with it; if there are none, with those nearest to it. */
  matching(word: string): { results: SearchResult[]; quality: number } {
    let results = this.words.search(word, { prefix: true });
    // A number is no misspelling of another.
    if (results.length > 0 || /^\d+$/.test(word)) return { results, quality: BEGINNING };
    const shorter = [1, 2, 3].map((letters) => word.slice(0, -letters)).filter(({ length }) => length >= 4);
    results = this.words.search({ queries: shorter });
    if (results.length > 0) return { results, quality: SHORTER };
    if (word.length >= 3) results = this.words.search(word, { fuzzy: 1 });
    if (results.length > 0 || word.length < 5) return { results, quality: ONE_OFF };
    return { results: this.words.search(word, { fuzzy: 2 }), quality: TWO_OFF };
  }
}

export class SearchIndex {
  private constructor(
    private readonly features: Searchable,
    private readonly words: WordIndex,
  ) {}

  static async of(features: Searchable): Promise<SearchIndex> {
    const labelled = features.labels.flatMap((label, id) => (label === null ? [] : [{ id, label }]));
    return new SearchIndex(features, await WordIndex.of(labelled));
  }

  /**
   * Nodes that match a query, best first.
   *
   * Digits match the feature with that index first; "#12" matches the beginnings of indexes only. Labels with all
   * words come before labels with some of them, whole words before beginnings of words. A word that no label has may
   * be a longer form of one, or misspelt by a letter or two. What no word matches, punctuation for one, is looked for
   * literally.
   */
  search(query: string): Hits {
    const text = fold(query.trim());
    if (text === "") return equal([]);
    if (/^#\d+$/.test(text)) return equal(this.withIndex(text.slice(1)));
    const words = wordsOf(text);
    const ranks = new Map<number, Rank>();
    for (const word of words) {
      const { results, quality } = this.words.matching(word);
      for (const { id, score, terms } of results) {
        const rank = ranks.get(id) ?? { words: 0, quality: 0, score: 0 };
        if (quality > TWO_OFF) rank.words += 1;
        rank.quality += terms.includes(word) ? WHOLE : quality;
        rank.score += score;
        ranks.set(id, rank);
      }
    }
    if (/^\d+$/.test(text)) {
      for (const node of this.withIndex(text, true)) ranks.set(node, { words: 1, quality: 2, score: 0 });
    }
    if (ranks.size === 0) return equal(this.containing(text));
    const tier = (rank: Rank) => tierOf(rank.words, words.length);
    const { linkCounts } = this.features;
    const ranked = [...ranks].sort(
      ([node, a], [other, b]) =>
        tier(b) - tier(a) ||
        b.quality - a.quality ||
        b.score - a.score ||
        linkCounts[other]! - linkCounts[node]!,
    );
    const first = tier(ranked[0]![1]);
    const best = ranked.filter(([, rank]) => tier(rank) === first).length;
    return { nodes: ranked.map(([node]) => node), best, whole: first === 2 };
  }

  private withIndex(digits: string, whole = false): number[] {
    const { index } = this.features;
    const nodes = [...index.keys()].filter((node) => {
      const number = String(index[node]);
      return whole ? number === digits : number.startsWith(digits);
    });
    return nodes.sort((a, b) => index[a]! - index[b]!);
  }

  private containing(text: string): number[] {
    const { labels } = this.features;
    return [...labels.keys()].filter((node) => {
      const label = labels[node];
      return label != null && fold(label).includes(text);
    });
  }
}

function equal(nodes: number[]): Hits {
  return { nodes, best: nodes.length, whole: true };
}

/** Of a label with `matched` of the `wanted` words: all, some, or none but for two letters. */
export function tierOf(matched: number, wanted: number): 0 | 1 | 2 {
  return matched === wanted ? 2 : matched > 0 ? 1 : 0;
}

export function tokenize(text: string): string[] {
  return text.match(WORDS) ?? [];
}

/** The words of a query that tell something; all if none does. */
export function wordsOf(text: string): string[] {
  const words = [...new Set(tokenize(text))];
  const telling = words.filter((word) => !STOP_WORDS.has(word));
  return telling.length > 0 ? telling : words;
}
