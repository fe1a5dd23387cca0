/** Chooses and places the names of regions: of large ones from afar, of those inside them as they come nearer. */
import type { Layer } from "../data/layer";
import type { Projection } from "./pick";
import { boxOf, overlap, type Placed, type Placement, project } from "./placement";

export interface Naming extends Pick<Placement, "view" | "near" | "shown" | "taken" | "sizeOf" | "limit"> {
  layer: Layer;
  /** False for a region of which no feature is shown: it is not named. */
  isShown: (region: number) => boolean;
}

/** Radius on the screen, as a share of the picture's shorter side, from which a region's parts are named instead. */
const OPEN = 0.42;
/** CSS pixels: the radius of the smallest region that is named. */
const SMALLEST = 12;
const STICKINESS = 1.25;
/** Of the eye's distance to its target: regions further off are not named. */
const FURTHEST = 1.5;
const MARGIN = 6;

export function placeNames(naming: Naming): Placed[] {
  const { layer, view, near, shown, isShown, taken, sizeOf, limit } = naming;
  const { regions, areas } = layer;
  const middles = { positions: areas.center, radiusOf: null };
  const open = OPEN * Math.min(view.width, view.height);
  const candidates: (Placed & { score: number })[] = [];
  for (let region = 0; region < regions.length; ) {
    const depth = depthOf(areas.center, region, view);
    const stickiness = shown.has(region) ? STICKINESS : 1;
    const radius = depth <= 0 ? Infinity : (areas.radius[region]! * view.pixelsPerUnit) / depth;
    const inParts = regions[region]!.name === null || radius > open * stickiness;
    const hidden = depth > FURTHEST * near || radius < SMALLEST || !isShown(region);
    const at = inParts || hidden ? null : project(middles, view, region);
    if (at) candidates.push({ ...at, score: (stickiness * radius * near) / depth });
    // The parts come next, and after them what follows the region.
    region = inParts ? region + 1 : regions[region]!.end;
  }
  const boxes = [...taken];
  const placed: Placed[] = [];
  for (const name of candidates.sort((a, b) => b.score - a.score)) {
    if (placed.length >= limit) break;
    const box = boxOf(name, sizeOf(name.key), MARGIN);
    const fits = box.left > 0 && box.right < view.width && box.top > 0 && box.bottom < view.height;
    if (!fits || boxes.some((other) => overlap(box, other))) continue;
    boxes.push(box);
    placed.push(name);
  }
  return placed;
}

function depthOf(center: Float32Array, region: number, { matrix: m }: Projection): number {
  const [x, y, z] = [center[3 * region]!, center[3 * region + 1]!, center[3 * region + 2]!];
  return m[3]! * x + m[7]! * y + m[11]! * z + m[15]!;
}
