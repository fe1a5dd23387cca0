/** Finding features by the words of their labels, or by index. */
import MiniSearch from "minisearch";
import { fold } from "./text";

export interface Hits {
  /** Every node that matches, best first. */
  nodes: number[];
  /** How many of these, the first ones, hold all words; if none does, all of them. */
  best: number;
}

/** How well a label matches a query. */
interface Rank {
  /** How many words of the query it has, at most a letter off. */
  words: number;
  /** A whole word counts 1, the beginning of one 0.7, a misspelt one 0.5 or less. */
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
    const words = wordsOf(text);
    const ranks = new Map<number, Rank>();
    for (const word of words) {
      const { letters, found } = this.matching(word);
      for (const { id, score, terms } of found) {
        const rank = ranks.get(id) ?? { words: 0, quality: 0, score: 0 };
        if (letters < 2) rank.words += 1;
        rank.quality += letters > 0 ? 0.5 / letters : terms.includes(word) ? 1 : 0.7;
        rank.score += score;
        ranks.set(id, rank);
      }
    }
    if (/^\d+$/.test(text)) {
      for (const node of this.withIndex(text, true)) ranks.set(node, { words: 1, quality: 2, score: 0 });
    }
    if (ranks.size === 0) return equal(this.containing(text));
    const all = ({ words: matched }: Rank) => Number(matched === words.length);
    const ranked = [...ranks].sort(
      ([, a], [, b]) => all(b) - all(a) || b.quality - a.quality || b.score - a.score,
    );
    const best = ranked.filter(([, rank]) => all(rank)).length;
    return { nodes: ranked.map(([node]) => node), best: best || ranked.length };
  }

  /** The labels with a word or longer ones that begin with it; if there are none, with those fewest letters away. */
  private matching(word: string) {
    const most = word.length < 3 ? 0 : word.length < 5 ? 1 : 2;
    for (let letters = 0; ; letters++) {
      const found = this.words.search(word, { prefix: true, fuzzy: letters });
      if (found.length > 0 || letters === most) return { letters, found };
    }
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
