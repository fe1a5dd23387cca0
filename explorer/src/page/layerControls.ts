/** The selectors of model and layer, the line about the map, and the window's title follow what is shown. */
import type { Layer } from "../data/layer";
import { counted, display } from "../data/text";
import { byId, setOptions } from "../ui/dom";
import { announce } from "../ui/notices";
import { layerAfter, modelOf, type Source, type Store } from "./state";

/** The model selector's entry for a file of the visitor's own. */
export const OWN_FILE = "own file";

/** Ids of what chooses the layer of a map. */
interface Selectors {
  model: string;
  layer: string;
  previous: string;
  next: string;
}

export function followSelectors(store: Store, ids: Selectors): void {
  store.follow(["models", "manifests", "wanted", "source", "layer"], (state) => {
    const { models, wanted, source, layer } = state;
    const named = models.map(({ modelId, displayName }) => ({ value: modelId, name: displayName }));
    if (source?.kind === "file") named.unshift({ value: OWN_FILE, name: source.name });
    setOptions(byId<HTMLSelectElement>(ids.model), named, wanted?.modelId ?? OWN_FILE);
    const chosen = wanted === null ? layer?.layer : wanted.layer;
    const layers = modelOf(state)?.layers.map((entry) => entry.layer) ?? (chosen == null ? [] : [chosen]);
    const select = byId<HTMLSelectElement>(ids.layer);
    const numbered = layers.map((number) => ({ value: String(number), name: String(number) }));
    setOptions(select, numbered, String(chosen ?? ""));
    select.disabled = layers.length < 2;
    byId<HTMLButtonElement>(ids.previous).disabled = layerAfter(state, -1) === null;
    byId<HTMLButtonElement>(ids.next).disabled = layerAfter(state, 1) === null;
  });
}

export function followLayerControls(store: Store): void {
  store.follow(["layer", "map"], ({ layer, map }) => {
    byId("frame").hidden = !layer?.maps.frame;
    byId("frame").setAttribute("aria-pressed", String(map === "frame"));
  });
  store.follow(["source"], ({ layer, source }) => {
    if (layer && source) describe(layer, source);
  });
}

function describe(layer: Layer, source: Source): void {
  const from = source.kind === "file" ? "file" : source.fromCache ? "cache" : "network";
  const origin = { file: "your file", cache: "stored in this browser", network: null }[from];
  const parts = [
    counted(layer.count, "feature"),
    counted(layer.edges.weight.length, "link"),
    `${labelledShare(layer)} labelled`,
    ...(layer.deadCount > 0 ? [`${layer.deadCount.toLocaleString("en")} dead`] : []),
    ...(origin === null ? [] : [origin]),
  ];
  const summary = byId("summary");
  summary.textContent = parts.join(" · ");
  summary.dataset.from = from;
  document.title = `${display(layer.displayName, 60)}, layer ${layer.layer} · SAE Atlas`;
  announce(`${layer.displayName}, layer ${layer.layer}: ${parts.join(", ")}`);
}

function labelledShare(layer: Layer): string {
  const share = layer.labels.filter((label) => label !== null).length / layer.count;
  return share === 1 ? "all" : `${Math.floor(1000 * share) / 10} %`;
}
