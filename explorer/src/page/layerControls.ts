/** The selectors of model and layer, the line about the map, and the window's title follow what is shown. */
import type { Layer } from "../data/layer";
import { counted, display } from "../data/text";
import { byId, setOptions } from "../ui/dom";
import { announce } from "../ui/notices";
import { layerAfter, modelOf, type Source, type State, type Store } from "./state";

/** The model selector's entry for a file of the visitor's own. */
export const OWN_FILE = "own file";

export function followLayerControls(store: Store): void {
  store.follow(["models", "manifests", "wanted", "source"], (state) => {
    showModels(state);
    showLayers(state);
    byId<HTMLButtonElement>("previous-layer").disabled = layerAfter(state, -1) === null;
    byId<HTMLButtonElement>("next-layer").disabled = layerAfter(state, 1) === null;
  });
  store.follow(["layer", "map"], ({ layer, map }) => {
    byId("frame").hidden = !layer?.maps.frame;
    byId("frame").setAttribute("aria-pressed", String(map === "frame"));
  });
  store.follow(["source"], ({ layer, source }) => {
    if (layer && source) describe(layer, source);
  });
}

function showModels({ models, wanted, source }: State): void {
  const options = models.map(({ modelId, displayName }) => ({ value: modelId, name: displayName }));
  if (source?.kind === "file") options.unshift({ value: OWN_FILE, name: source.name });
  setOptions(byId<HTMLSelectElement>("model"), options, wanted?.modelId ?? OWN_FILE);
}

function showLayers(state: State): void {
  const own = state.wanted === null && state.layer ? [state.layer.layer] : [];
  const layers = modelOf(state)?.layers.map(({ layer }) => layer) ?? own;
  const select = byId<HTMLSelectElement>("layer");
  const options = layers.map((layer) => ({ value: String(layer), name: String(layer) }));
  setOptions(select, options, String(state.wanted?.layer ?? own[0] ?? ""));
  select.disabled = layers.length < 2;
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
