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
 * Digits match the feature with that index first; "#12" matches indexes only. All other words must occur in the
 * label. Whole words rank above beginnings of words, and these above other occurrences; then earlier occurrences
 * above later ones, and features with more links above others.
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
    const at = bestOccurrence(label, word);
    if (at === null) return 0;
    score += at.value + 1 / (1 + at.position);
  }
  return score / words.length;
}

function bestOccurrence(label: string, word: string): { position: number; value: number } | null {
  let best: { position: number; value: number } | null = null;
  for (let position = label.indexOf(word); position >= 0; position = label.indexOf(word, position + 1)) {
    const starts = !isWordCharacter(label[position - 1]);
    const ends = !isWordCharacter(label[position + word.length]);
    const value = starts && ends ? 4 : starts ? 2 : 1;
    if (best === null || value > best.value) best = { position, value };
    if (value === 4) break;
  }
  return best;
}

function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}]/u.test(character);
}
