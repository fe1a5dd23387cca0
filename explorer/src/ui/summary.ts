/** One line about the current map, and the window's title. */
import type { Layer } from "../data/layer";
import type { Loaded } from "../data/loader";
import { counted, display } from "../data/text";
import { byId } from "./dom";
import { announce } from "./notices";

const ORIGINS = { network: null, cache: "stored in this browser", file: "your file" } as const;

export function showSummary({ layer, from }: Loaded): void {
  const origin = ORIGINS[from];
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
