/** The regions around a feature or a region: "In module, toolkit › program". Each leads there. */
import type { Layer } from "../data/layer";
import { nameOf, pathOf } from "../data/regions";
import { display } from "../data/text";
import { h } from "./dom";

/** From the largest region to `region`, without those that have no name; `region` may be -1. */
export function regionPath(
  layer: Layer,
  region: number,
  onRegion: (region: number) => void,
): (HTMLElement | string)[] {
  const path = pathOf(layer, region);
  const named = path.filter((at) => layer.regions[at]!.name !== null);
  const listed = named.length > 0 ? named : path.slice(0, 1);
  return listed.flatMap((at, step) => [
    step === 0 ? "In " : " › ",
    h("button", { type: "button", dir: "auto", onclick: () => onRegion(at) }, display(nameOf(layer, at), 60)),
  ]);
}
