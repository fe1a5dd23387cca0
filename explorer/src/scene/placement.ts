/**
 * Chooses and places the labels in the scene: those of prominent and near features, without overlaps.
 */
import type { Discs, Projection } from "./pick";
import { radiusOnScreen } from "./points";

export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

/** A text on the screen. */
export interface Placed {
  /** The node or region that it names. */
  key: number;
  /** The point on the screen, CSS pixels. */
  x: number;
  y: number;
  /** Distance from the eye in map units. */
  depth: number;
  /** CSS pixels from the point to where the text begins; negative where it ends, left of its point; null: lies over it. */
  offset: number | null;
}

/** Points, by key, and the radii of their discs in map units; null: texts lie over the points, not beside them. */
export interface Anchors {
  positions: Float32Array;
  radiusOf: ((key: number) => number) | null;
}

export interface Placement {
  points: Discs;
  /** Nodes, most prominent first; only these are considered. */
  order: ArrayLike<number>;
  view: Projection;
  /** The depth up to which a label counts as near: the eye's distance to its target. */
  near: number;
  /** Shown before all others, whatever their prominence. */
  wanted: number[];
  /** Keys of the previous choice: they stay unless another is clearly better, which prevents flicker. */
  shown: ReadonlySet<number>;
  /** Boxes that texts must not overlap: the page's panels. */
  taken: Box[];
  /** Called once the wanted labels are placed, with all boxes taken: returns those that other labels must keep free. */
  reserve: (taken: Box[]) => Box[];
  /** True for a label that others are to be preferred to. Called for those that come into question only. */
  saysLittle: (node: number) => boolean;
  /** A node's label. Of equal ones, only the first is shown. */
  textOf: (node: number) => string;
  /** Width and height of a text in CSS pixels. */
  sizeOf: (key: number) => [number, number];
  limit: number;
}

/** Labels that are tried, per label that may be shown. */
const CANDIDATES = 6;
const MARGIN = 7;
/** Height that labels need at the upper and lower edge together, in CSS pixels. */
const EDGE = 24;
/** How much better a label must be to replace one that is shown. */
const STICKINESS = 1.6;
/** What the score of a label that says little is multiplied by. */
const LAST = 1e-4;
/** Labels that give way to each reserved box. */
const ROOM = 1.5;
/** CSS pixels between a point's disc and its label. */
const GAP = 5;

export function placeLabels(placement: Placement): Placed[] {
  let { limit } = placement;
  const taken = [...placement.taken];
  const placed: Placed[] = [];
  const texts = new Set<string>();
  const place = (label: Placed) => {
    const text = placement.textOf(label.key);
    if (placed.length >= limit || texts.has(text)) return;
    const fitting = [label, { ...label, offset: -label.offset! }].find((side) => {
      const box = boxOf(side, placement.sizeOf(side.key), MARGIN);
      return box.left > 0 && box.right < placement.view.width && !taken.some((other) => overlap(box, other));
    });
    if (!fitting) return;
    taken.push(boxOf(fitting, placement.sizeOf(label.key), MARGIN));
    placed.push(fitting);
    texts.add(text);
  };
  const { points, view } = placement;
  placement.wanted.flatMap((node) => project(points, view, node) ?? []).forEach(place);
  const reserved = placement.reserve([...taken]);
  taken.push(...reserved);
  limit -= ROOM * reserved.length;
  bestCandidates(placement, new Set(placement.wanted)).forEach(place);
  return placed;
}

/** The box of a label with a margin around it; all in CSS pixels. */
export function boxOf({ x, y, offset }: Placed, [width, height]: [number, number], margin: number): Box {
  let left = x - width / 2;
  if (offset !== null) left = offset < 0 ? x + offset - width : x + offset;
  return {
    left: left - margin,
    right: left + width + margin,
    top: y - height / 2 - margin,
    bottom: y + height / 2 + margin,
  };
}

export function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/** The best labels, best first. Prominence counts by rank, nearness by a power of the depth. */
function bestCandidates(placement: Placement, except: Set<number>): Placed[] {
  const { points, order, view, near, shown } = placement;
  const { positions } = points;
  const { matrix: m, height } = view;
  const candidates = CANDIDATES * placement.limit;
  const nodes: number[] = [];
  const scores: number[] = [];
  let weakest = 0;
  // Every choice goes through all labels: nothing in this loop may allocate.
  for (let rank = 0; rank < order.length; rank++) {
    const node = order[rank]!;
    const px = positions[3 * node]!;
    const py = positions[3 * node + 1]!;
    const pz = positions[3 * node + 2]!;
    const w = m[3]! * px + m[7]! * py + m[11]! * pz + m[15]!;
    if (w <= 0 || w > 2.4 * near) continue;
    const nearness = near / Math.max(w, 0.15 * near);
    const score = (nearness * nearness * Math.sqrt(nearness)) / (rank + 25);
    if (nodes.length === candidates && STICKINESS * score <= scores[weakest]!) continue;
    if (Math.abs(m[0]! * px + m[4]! * py + m[8]! * pz + m[12]!) > w) continue;
    if (Math.abs(m[1]! * px + m[5]! * py + m[9]! * pz + m[13]!) > w * (1 - EDGE / height)) continue;
    const known = score * (shown.has(node) ? STICKINESS : 1) * (placement.saysLittle(node) ? LAST : 1);
    if ((nodes.length === candidates && known <= scores[weakest]!) || except.has(node)) continue;
    const at = nodes.length < candidates ? nodes.length : weakest;
    nodes[at] = node;
    scores[at] = known;
    if (nodes.length === candidates) weakest = scores.indexOf(Math.min(...scores));
  }
  return nodes
    .map((node, at) => ({ node, score: scores[at]! }))
    .sort((a, b) => b.score - a.score)
    .flatMap(({ node }) => project(points, view, node) ?? []);
}

/** Where a text is, or null if its point is outside the view. */
export function project({ positions, radiusOf }: Anchors, view: Projection, key: number): Placed | null {
  const m = view.matrix;
  const px = positions[3 * key]!;
  const py = positions[3 * key + 1]!;
  const pz = positions[3 * key + 2]!;
  const w = m[3]! * px + m[7]! * py + m[11]! * pz + m[15]!;
  if (w <= 0) return null;
  const x = (view.width / 2) * (1 + (m[0]! * px + m[4]! * py + m[8]! * pz + m[12]!) / w);
  const y = (view.height / 2) * (1 - (m[1]! * px + m[5]! * py + m[9]! * pz + m[13]!) / w);
  if (x < 0 || y < EDGE / 2 || x > view.width || y > view.height - EDGE / 2) return null;
  const offset = radiusOf && GAP + radiusOnScreen((radiusOf(key) * view.pixelsPerUnit) / w);
  return { key, x, y, depth: w, offset };
}
