/** Finding features of all layers of a model by the words of their labels: how many each layer has. */
import type { Column } from "./parquet";
import { TWO_OFF, tierOf, tokenize, WordIndex, wordsOf } from "./search";
import { fold } from "./text";

/** Labels read at a time, some milliseconds' work: searches of the layer that is shown come in between. */
const CHUNK = 5000;
/** Words of a query: one bit each. */
const MOST_WORDS = 30;

/** Keeps which words each label has as numbers: a scan over all of them takes less time than folding the labels. */
export class AllLayers {
  private constructor(
    private readonly vocabulary: WordIndex,
    private readonly layer: Column<number>,
    /** The words of row i lie at offset[i]..offset[i + 1]. */
    private readonly offset: Uint32Array,
    private readonly words: Uint32Array,
  ) {}

  /** `layer` and `labels` by row. */
  static async of(layer: Column<number>, labels: Column<string>): Promise<AllLayers> {
    const numbers = new Map<string, number>();
    const offset = new Uint32Array(labels.length + 1);
    const words: number[] = [];
    for (let row = 0; row < labels.length; row++) {
      if (row % CHUNK === 0) await new Promise((resolve) => setTimeout(resolve));
      for (const word of tokenize(fold(labels[row] ?? ""))) {
        const number = numbers.get(word) ?? numbers.size;
        if (number === numbers.size) numbers.set(word, number);
        words.push(number);
      }
      offset[row + 1] = words.length;
    }
    const vocabulary = await WordIndex.of(Array.from(numbers, ([label, id]) => ({ id, label })));
    return new AllLayers(vocabulary, layer, offset, Uint32Array.from(words));
  }

  /** By layer: how many features have all words of a query; if none of any layer has, how many have some. */
  count(query: string): Map<number, number> {
    const text = fold(query.trim());
    // An index names another feature in each layer.
    const wanted = text.startsWith("#") ? [] : wordsOf(text).slice(0, MOST_WORDS);
    /** By word of the labels: bits of the words of the query that it matches, at most a letter off, or two. */
    const close = new Uint32Array(this.vocabulary.size);
    const far = new Uint32Array(this.vocabulary.size);
    wanted.forEach((word, at) => {
      const { results, quality } = this.vocabulary.matching(word);
      for (const { id } of results) (quality > TWO_OFF ? close : far)[id]! |= 1 << at;
    });
    /** By tier. */
    const counts = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()] as const;
    const { offset, words, layer } = this;
    for (let row = 0; row < layer.length; row++) {
      let [matched, guessed] = [0, 0];
      for (let at = offset[row]!; at < offset[row + 1]!; at++) {
        matched |= close[words[at]!]!;
        guessed |= far[words[at]!]!;
      }
      if ((matched | guessed) === 0) continue;
      const count = counts[tierOf(bitsOf(matched), wanted.length)];
      count.set(layer[row]!, (count.get(layer[row]!) ?? 0) + 1);
    }
    return counts.findLast(({ size }) => size > 0) ?? new Map();
  }
}

function bitsOf(mask: number): number {
  let bits = 0;
  for (let rest = mask; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}
