/** The links of a map by their cosine: which are drawn above a threshold, and how many there are at each cosine. */

import type { Layer } from "../data/layer";

/** Links drawn unless the visitor chooses otherwise: more hide the points, and each other. */
export const DRAWN_BY_DEFAULT = 10_000;

/** Cosines are told apart in steps of 0.001. */
const STEPS = 1000;

export class LinkOrder {
  /** All edges, strongest first; those of one step in the order of the file. */
  readonly edges: Uint32Array;
  /** By step: the number of links at or above it. */
  private readonly reaching = new Uint32Array(STEPS + 2);

  /** Sorts by counting, in two passes over the links: 10 ms for a million. */
  constructor(weight: Float32Array) {
    for (const cosine of weight) this.reaching[stepOf(cosine)]! += 1;
    for (let step = STEPS - 1; step >= 0; step--) this.reaching[step]! += this.reaching[step + 1]!;
    const next = this.reaching.slice(1);
    this.edges = new Uint32Array(weight.length);
    for (let edge = 0; edge < weight.length; edge++) this.edges[next[stepOf(weight[edge]!)]!++] = edge;
  }

  /** The number of links with at least this cosine: the first so many of `edges`. */
  count(cosine: number): number {
    return this.reaching[stepOf(cosine)]!;
  }

  /** The number of those of which both ends are shown. */
  countShown(cosine: number, { source, target }: Layer["edges"], shown: Uint8Array): number {
    let count = 0;
    for (const edge of this.edges.subarray(0, this.count(cosine))) {
      count += shown[source[edge]!]! & shown[target[edge]!]!;
    }
    return count;
  }

  /** The highest cosine that still draws the default number of links, or the lowest if there are fewer. */
  get defaultCosine(): number {
    const wanted = Math.min(DRAWN_BY_DEFAULT, this.edges.length);
    let step = STEPS;
    while (step > 0 && this.reaching[step]! < wanted) step--;
    return step / STEPS;
  }

  /** The lowest and the highest cosine that occur, to the step; 0 and 1 without links. */
  get range(): [number, number] {
    if (this.edges.length === 0) return [0, 1];
    let [low, high] = [0, STEPS];
    while (this.reaching[low + 1] === this.edges.length) low++;
    while (this.reaching[high] === 0) high--;
    return [low / STEPS, high / STEPS];
  }
}

function stepOf(cosine: number): number {
  // Single precision keeps 0.41 as 0.40999999: it belongs to its own step nevertheless.
  return Math.min(STEPS, Math.max(0, Math.floor(cosine * STEPS + 1e-3)));
}
