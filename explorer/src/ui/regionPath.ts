/** The regions around a feature or a region: "In module, toolkit › program". Each leads there. */
import type { Layer } from "../data/layer";
import { nameOf, pathOf } from "../data/regions";
import { display } from "../data/text";
import { h } from "./dom";

/** For lists: "in module, toolkit › program", of the largest and the smallest with a name; "" if there is none. */
export function shortPath(layer: Layer, region: number): string {
  const named = namedPath(layer, region);
  const ends = named.length > 1 ? [named[0]!, named.at(-1)!] : named;
  return ends.length === 0 ? "" : `in ${ends.map((at) => display(nameOf(layer, at), 24)).join(" › ")}`;
}

/** From the largest region to `region`, without those that have no name; `region` may be -1. */
export function regionPath(
  layer: Layer,
  region: number,
  onRegion: (region: number) => void,
): (HTMLElement | string)[] {
  const named = namedPath(layer, region);
  const listed = named.length > 0 ? named : pathOf(layer, region).slice(0, 1);
  return listed.flatMap((at, step) => [
    step === 0 ? "In " : " › ",
    h("button", { dir: "auto", onclick: () => onRegion(at) }, display(nameOf(layer, at), 60)),
  ]);
}

function namedPath(layer: Layer, region: number): number[] {
  return pathOf(layer, region).filter((at) => layer.regions[at]!.name !== null);
}
