/** What the page shows, as the part of its address after '#', so that a link opens the same view. */
import { COLORINGS } from "../colors";
import { formatMembers, parseMembers } from "../data/featureSet";
import type { Filters } from "../data/filter";
import { QUANTITIES } from "../data/quantities";
import { encoded } from "../data/text";
import type { FeatureId } from "../data/tracks";
import type { State } from "./state";

/** What the address does not say is null or undefined. */
export type ViewState = { [Name in keyof Values]?: Values[Name] | null | undefined };

interface Values
  extends Pick<State, "map" | "query" | "coloring" | "filters" | "silentShown" | "minCosine" | "camera"> {
  model: string;
  layer: number;
  /** Feature index of the selected feature. */
  feature: number;
  /** Id of the chosen region. */
  region: string;
  /** The layer beside it; without a model, one of the same. */
  compared: { modelId?: string; layer: number };
  /** Index of the feature selected there, if it is not on the track of one on the first map. */
  featureBeside: number;
  pinned: readonly FeatureId[];
  /** The name of the set that is pinned. */
  set: string;
}

export function formatState(view: ViewState): string {
  const { model, region, compared, pinned, set, query, coloring, filters, minCosine, camera } = view;
  const other = compared?.modelId === undefined ? "" : `${encoded(compared.modelId)}:`;
  const pins = formatMembers(pinned ?? []);
  const texts = {
    model: encoded(model ?? ""),
    layer: view.layer,
    map: view.map === "own" ? "own" : null,
    feature: view.feature,
    region: encoded(region ?? ""),
    compare: compared && `${other}${compared.layer}`,
    there: compared && view.featureBeside,
    pins,
    set: pins && encoded(set ?? ""),
    find: encoded(query ?? ""),
    color: coloring === "links" ? null : coloring,
    only: formatFilters(filters ?? {}),
    silent: view.silentShown ? "shown" : null,
    links: minCosine == null ? null : +minCosine.toFixed(3),
    camera: camera?.map((value) => +value.toFixed(2)).join(","),
  };
  const parts = Object.entries(texts).filter(([, text]) => text != null && text !== "");
  return parts.length === 0 ? "" : `#${parts.map((part) => part.join("=")).join("&")}`;
}

/** Reads an address's hash. What makes no sense is left out, as addresses are typed and cut by hand. */
export function parseState(hash: string): ViewState {
  const texts = new URLSearchParams(hash.replace(/^#/, ""));
  const text = (name: string) => texts.get(name) ?? "";
  const minCosine = decimal(text("links"));
  const camera = text("camera").split(",").map(decimal);
  return {
    model: text("model") || null,
    layer: wholeNumber(text("layer")),
    map: text("map") === "own" ? "own" : null,
    feature: wholeNumber(text("feature")),
    region: text("region") || null,
    compared: parseCompared(text("compare")),
    featureBeside: wholeNumber(text("there")),
    pinned: parseMembers(text("pins")),
    set: text("set"),
    query: text("find").trim() && text("find"),
    coloring: COLORINGS.find((coloring) => coloring === text("color")) ?? null,
    filters: parseFilters(text("only")),
    silentShown: text("silent") === "shown",
    minCosine: minCosine >= 0 && minCosine <= 1 ? minCosine : null,
    camera: camera.length === 6 && camera.every((value) => Math.abs(value) < 1e5) ? camera : null,
  };
}

/** "density:0.001..0.01,links:3..", an end left out where there is no limit. */
function formatFilters(filters: Filters): string {
  return Object.entries(filters)
    .map(([quantity, { low, high }]) => `${quantity}:${low ?? ""}..${high ?? ""}`)
    .join(",");
}

/** "5", or "gpt2:5" of another model. */
function parseCompared(text: string): Values["compared"] | null {
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

function decimal(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

function wholeNumber(text: string): number | null {
  return /^\d{1,7}$/.test(text) ? Number(text) : null;
}
