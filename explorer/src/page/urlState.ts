/** What the page shows, as the part of its address after '#', so that a link opens the same view. */
import { COLORINGS, type Coloring } from "../colors";
import { type FeatureSet, formatMembers, parseMembers, withFeatures } from "../data/featureSet";
import type { Filters } from "../data/filter";
import type { Layer } from "../data/layer";
import { QUANTITIES } from "../data/quantities";
import { encoded } from "../data/text";

export interface ViewState {
  model?: string;
  layer?: number;
  /** Which of the layer's maps; in the frame of all layers unless the address says otherwise. */
  map?: keyof Layer["maps"];
  /** Feature index of the selected feature. */
  feature?: number;
  /** Id of the chosen region. */
  region?: string;
  /** The layer beside it; without a model, one of the same. */
  compared?: { modelId?: string; layer: number };
  /** Index of the feature selected there, if it is not on the track of one on the first map. */
  featureBeside?: number;
  /** The pinned features. */
  pinned?: FeatureSet;
  /** The search. */
  query?: string;
  coloring?: Coloring;
  filters?: Filters;
  /** True if features that never fire are shown, too. */
  silentShown?: boolean;
  /** The lowest cosine of a link that is drawn. */
  minCosine?: number;
  /** Camera position x, y, z, then the point it looks at. */
  camera?: number[];
}

export function formatState(state: ViewState): string {
  const parts: string[] = [];
  if (state.model !== undefined) parts.push(`model=${encoded(state.model)}`);
  if (state.layer !== undefined) parts.push(`layer=${state.layer}`);
  if (state.map === "own") parts.push("map=own");
  if (state.feature !== undefined) parts.push(`feature=${state.feature}`);
  if (state.region !== undefined) parts.push(`region=${encoded(state.region)}`);
  if (state.compared !== undefined) {
    const { modelId, layer } = state.compared;
    parts.push(`compare=${modelId === undefined ? "" : `${encoded(modelId)}:`}${layer}`);
  }
  if (state.featureBeside !== undefined) parts.push(`there=${state.featureBeside}`);
  if (state.pinned !== undefined) {
    const { name, members } = state.pinned;
    parts.push(`pins=${formatMembers(members)}`);
    if (name !== "") parts.push(`set=${encoded(name)}`);
  }
  if (state.query !== undefined) parts.push(`find=${encoded(state.query)}`);
  if (state.coloring !== undefined) parts.push(`color=${state.coloring}`);
  if (state.filters !== undefined) parts.push(`only=${formatFilters(state.filters)}`);
  if (state.silentShown) parts.push("silent=shown");
  if (state.minCosine !== undefined) parts.push(`links=${+state.minCosine.toFixed(3)}`);
  if (state.camera !== undefined)
    parts.push(`camera=${state.camera.map((value) => +value.toFixed(2)).join(",")}`);
  return parts.length === 0 ? "" : `#${parts.join("&")}`;
}

/** Reads an address's hash. What makes no sense is left out, as addresses are typed and cut by hand. */
export function parseState(hash: string): ViewState {
  const fields = new URLSearchParams(hash.replace(/^#/, ""));
  const state: ViewState = {};
  const model = fields.get("model");
  if (model) state.model = model;
  const layer = wholeNumber(fields.get("layer"));
  if (layer !== null) state.layer = layer;
  if (fields.get("map") === "own") state.map = "own";
  const feature = wholeNumber(fields.get("feature"));
  if (feature !== null) state.feature = feature;
  const region = fields.get("region");
  if (region) state.region = region;
  const compared = parseCompared(fields.get("compare") ?? "");
  if (compared !== null) state.compared = compared;
  const featureBeside = wholeNumber(fields.get("there"));
  if (compared !== null && featureBeside !== null) state.featureBeside = featureBeside;
  const members = parseMembers(fields.get("pins") ?? "");
  if (members.length > 0)
    state.pinned = withFeatures({ name: fields.get("set") ?? "", members: [] }, members);
  const query = fields.get("find");
  if (query?.trim()) state.query = query;
  const coloring = fields.get("color");
  if (COLORINGS.includes(coloring as Coloring)) state.coloring = coloring as Coloring;
  const filters = parseFilters(fields.get("only") ?? "");
  if (Object.keys(filters).length > 0) state.filters = filters;
  if (fields.get("silent") === "shown") state.silentShown = true;
  const minCosine = decimal(fields.get("links"));
  if (minCosine >= 0 && minCosine <= 1) state.minCosine = minCosine;
  const camera = fields.get("camera")?.split(",").map(decimal);
  if (camera?.length === 6 && camera.every((value) => Number.isFinite(value) && Math.abs(value) < 1e5)) {
    state.camera = camera;
  }
  return state;
}

/** "density:0.001..0.01,links:3..", an end left out where there is no limit. */
function formatFilters(filters: Filters): string {
  return Object.entries(filters)
    .map(([quantity, { low, high }]) => `${quantity}:${low ?? ""}..${high ?? ""}`)
    .join(",");
}

/** "5", or "gpt2:5" of another model. */
function parseCompared(text: string): NonNullable<ViewState["compared"]> | null {
  const end = text.lastIndexOf(":");
  const layer = wholeNumber(text.slice(end + 1));
  if (layer === null) return null;
  return end < 1 ? { layer } : { modelId: text.slice(0, end), layer };
}

function parseFilters(text: string): Filters {
  const filters: { -readonly [quantity in keyof Filters]: Filters[quantity] } = {};
  for (const part of text.split(",")) {
    const [name, ...ends] = part.split(/:|\.\./);
    const quantity = QUANTITIES.find((known) => known === name);
    const [low, high] = ends.map((end) => (end === "" ? null : decimal(end)));
    if (!quantity || low === undefined || high === undefined || ends.length !== 2) continue;
    if (low === null && high === null) continue;
    if ((low ?? -Infinity) <= (high ?? Infinity)) filters[quantity] = { low, high };
  }
  return filters;
}

function decimal(text: string | null): number {
  return text === null || text.trim() === "" ? Number.NaN : Number(text);
}

function wholeNumber(text: string | null): number | null {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : null;
}
