/** How similar other features are to one, as far as the stored neighbours tell. */
import type { Layer } from "./layer";

/** (count,) cosine to `node`, of its neighbours and of those that it is a neighbour of; NaN for others, Infinity for itself. */
export function similarities({ nearest, links, count }: Layer, node: number): Float32Array {
  const { offset, neighbor, weight } = nearest ?? links;
  const cosines = new Float32Array(count).fill(Number.NaN);
  for (let at = offset[node]!; at < offset[node + 1]!; at++) cosines[neighbor[at]!] = weight[at]!;
  for (let other = 0; other < count; other++) {
    for (let at = offset[other]!; at < offset[other + 1]!; at++) {
      if (neighbor[at] === node) cosines[other] = weight[at]!;
    }
  }
  cosines[node] = Infinity;
  return cosines;
}
