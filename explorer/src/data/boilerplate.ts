import { fold, WORDS } from "./text";

/** Labels of fewer characters are shown as they are. */
const LONG = 30;
/** Words of a label that are looked at, the first ones, and the characters that hold them. */
const [OPENING, CHARACTERS] = [5, 80];
/** Share of the long labels whose openings must have a word, and their least number. */
const [SHARE, LEAST] = [0.004, 12];
/** Mean squared distance of a word's features from their middle, in units of all features'. A topic's lie closer. */
const SPREAD = 0.8;

/**
 * The words with which an explainer begins labels, whatever they are about: "references to", "phrases that describe".
 *
 * They open many long labels, and their features lie all over the map. Counting alone would take "code" and "medical"
 * for boilerplate: their features are many, too, but lie together.
 */
export function boilerplateOf(labels: (string | null)[], positions: Float32Array): Set<string> {
  const all = new Cloud();
  const clouds = new Map<string, Cloud>();
  labels.forEach((label, node) => {
    if (label === null || label.length < LONG) return;
    const position = positions.subarray(3 * node, 3 * node + 3);
    all.add(position);
    const words = fold(label.slice(0, CHARACTERS)).match(WORDS) ?? [];
    for (const word of new Set(words.slice(0, OPENING))) {
      const cloud = clouds.get(word) ?? new Cloud();
      clouds.set(word, cloud);
      cloud.add(position);
    }
  });
  const frequent = Math.max(LEAST, SHARE * all.count);
  const wide = SPREAD * all.spread;
  const common = [...clouds].filter(([, { count, spread }]) => count >= frequent && spread >= wide);
  return new Set(common.map(([word]) => word));
}

/** The number and the spread of points. */
class Cloud {
  count = 0;
  private readonly sum = [0, 0, 0];
  private squares = 0;

  add(position: Float32Array): void {
    this.count += 1;
    for (let axis = 0; axis < 3; axis++) {
      this.sum[axis]! += position[axis]!;
      this.squares += position[axis]! ** 2;
    }
  }

  /** Mean squared distance from the middle. */
  get spread(): number {
    return (
      this.squares / this.count - this.sum.reduce((total, value) => total + (value / this.count) ** 2, 0)
    );
  }
}
