/** Finding features by the words of their labels, or by index. */
import { type Layer, linkCount } from "./layer";
import { fold } from "./text";

export interface SearchResult {
  /** Every node that matches, best first. */
  nodes: number[];
}

/**
 * Nodes that match a query, best first.
 *
 * Digits find the feature of that index first ("#12" finds nothing else). Other words must all occur in
 * the label; whole words rank before beginnings of words, those before other places, an early place
 * before a late one, and then the better linked feature.
 */
export function search(layer: Layer, query: string): SearchResult {
  const words = fold(query.trim()).split(/\s+/).filter(Boolean);
  if (words.length === 0) return { nodes: [] };
  const scored: { node: number; score: number }[] = [];
  const byIndex = /^#?(\d+)$/.exec(query.trim());
  const onlyIndex = query.trim().startsWith("#");
  for (let node = 0; node < layer.count; node++) {
    let score = 0;
    if (byIndex) {
      const index = String(layer.index[node]);
      if (index === byIndex[1]) score = 1000;
      else if (onlyIndex && index.startsWith(byIndex[1]!)) score = 500 - index.length;
    }
    if (!onlyIndex) score = Math.max(score, matchScore(layer.folded[node]!, words));
    if (score > 0) scored.push({ node, score: score + Math.min(linkCount(layer, node), 99) / 1000 });
  }
  scored.sort((a, b) => b.score - a.score || a.node - b.node);
  return { nodes: scored.map((entry) => entry.node) };
}

function matchScore(label: string, words: string[]): number {
  let score = 0;
  for (const word of words) {
    const at = bestPlace(label, word);
    if (at === null) return 0;
    score += at.value + 1 / (1 + at.place);
  }
  return score / words.length;
}

function bestPlace(label: string, word: string): { place: number; value: number } | null {
  let best: { place: number; value: number } | null = null;
  for (let place = label.indexOf(word); place >= 0; place = label.indexOf(word, place + 1)) {
    const starts = !isWordCharacter(label[place - 1]);
    const ends = !isWordCharacter(label[place + word.length]);
    const value = starts && ends ? 4 : starts ? 2 : 1;
    if (best === null || value > best.value) best = { place, value };
    if (value === 4) break;
  }
  return best;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
