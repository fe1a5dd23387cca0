/** The panel of the selected feature: what is known about it, its links and its nearest features. */
import { type Details, type Explanation, type Layer, nearestNodes, neighborsOf } from "../data/layer";
import { formatShare } from "../data/quantities";
import { counted, display, encoded } from "../data/text";
import type { FeatureId } from "../data/tracks";
import { CLOSE, FLY, fact, h, icon, iconButton, PIN } from "./dom";
import { FeatureList, type ListEvents, type Row } from "./featureList";
import { Journey } from "./journey";
import { ReadingPanel } from "./readingPanel";
import { regionPath } from "./regionPath";

/** Rows shown at first. */
const IN_FULL_SPACE = 12;
const IN_THE_MAP = 6;
const OTHER_EXPLANATIONS = 3;
/** As many as the share of kept neighbours counts. */
const NEAREST = 15;
const NO_LINKS = "No feature is similar enough for a link.";

export interface FeatureEvents extends ListEvents {
  onRegion(region: number): void;
  /** To a feature of any layer. */
  onLeave(feature: FeatureId): void;
  onFly(): void;
  onPin(): void;
  onClose(): void;
}

export class FeaturePanel extends ReadingPanel {
  private readonly facts = h("dl", { class: "facts" });
  private readonly outwards = h(
    "a",
    { class: "outwards", target: "_blank", rel: "noopener noreferrer" },
    "Open on Neuronpedia",
    icon("M9 7h8v8M17 7 7 17"),
  );
  private readonly explanations = h("div", { class: "explanations" });
  private readonly path = h("p", { class: "path" });
  /** Where the feature is in a layer that is compared. */
  readonly elsewhere = h("div");
  readonly journey = new Journey((feature) => this.events.onLeave(feature));
  private readonly fly = iconButton("Fly to this feature", FLY, () => this.events.onFly());
  private readonly pin = iconButton("Pin this feature (P)", PIN, () => this.events.onPin());
  private readonly inFullSpace: FeatureList;
  private readonly inMap: FeatureList;

  constructor(private readonly events: FeatureEvents) {
    super("feature");
    this.header.append(this.pin, this.fly, iconButton("Close", CLOSE, events.onClose));
    this.inFullSpace = new FeatureList(events, IN_FULL_SPACE);
    this.inMap = new FeatureList(events, IN_THE_MAP);
    this.panel.append(
      this.explanations,
      this.path,
      this.facts,
      this.outwards,
      this.elsewhere,
      this.journey.element,
      this.inFullSpace.element,
      this.inMap.element,
    );
  }

  /** `named`: says of which layer the feature is. */
  show(layer: Layer, node: number, named = false): void {
    const hadFocus = this.hasFocus;
    const of = named ? ` of layer ${layer.layer}` : "";
    this.name(`Feature ${layer.index[node]}${of}`, layer.labels[node] ?? null);
    this.path.replaceChildren(...regionPath(layer, layer.regionOf[node]!, this.events.onRegion));
    this.explanations.replaceChildren();
    this.facts.replaceChildren(...factsOf(layer, node));
    this.showOutwards(layer, node);
    const nearest = nearestNodes(layer, node, NEAREST);
    const [heading, note, rows] = fullSpace(layer, node, new Set(nearest));
    this.inFullSpace.show(layer, heading, note, rows);
    const near = new Set(rows.map((row) => row.node));
    const onMap = nearest.map((other) => ({ node: other, nearInBoth: near.has(other) }));
    this.inMap.show(layer, "Nearest in the map", null, onMap);
    this.showOnMap(true);
    this.open(hadFocus);
  }

  /** Of a feature whose track does not reach the layer that is shown; the journey says why. */
  showAbsent({ layer, index, label }: FeatureId & { label: string | null }): void {
    const hadFocus = this.hasFocus;
    this.name(`Feature ${index} of layer ${layer}`, label);
    for (const part of [this.explanations, this.path, this.facts]) part.replaceChildren();
    this.outwards.hidden = true;
    this.showOnMap(false);
    this.open(hadFocus);
  }

  /** Adds what is read once the panel is open. */
  describe({ explainer, otherExplanations, topTokens }: Details): void {
    this.explanations.replaceChildren(...explanationsOf(otherExplanations));
    if (explainer !== null) this.facts.prepend(fact("Explained by", explainer));
    const words = topTokens.flatMap((token) => [
      h("span", { class: "token", dir: "auto" }, display(token, 40)),
      " ",
    ]);
    if (words.length > 0)
      this.facts.append(h("div", { class: "tokens" }, h("dt", {}, "Top tokens"), h("dd", {}, ...words)));
  }

  showPinned(pinned: boolean): void {
    this.pin.setAttribute("aria-pressed", String(pinned));
  }

  private name(index: string, label: string | null): void {
    this.kind.textContent = index;
    this.heading.textContent = label === null ? "No label" : display(label);
    this.heading.classList.toggle("none", label === null);
  }

  /** Hides what makes no sense for a feature that is not on the map that is shown. */
  private showOnMap(onMap: boolean): void {
    for (const part of [this.pin, this.fly, this.inFullSpace.element, this.inMap.element])
      part.hidden = !onMap;
  }

  private showOutwards(layer: Layer, node: number): void {
    this.outwards.hidden = layer.neuronpedia === null;
    if (layer.neuronpedia === null) return;
    const { modelId, sourceId } = layer.neuronpedia;
    const path = [modelId, sourceId, String(layer.index[node])].map(encoded).join("/");
    this.outwards.href = `https://www.neuronpedia.org/${path}`;
  }
}

/** The first ones shown, the others behind a button. */
function explanationsOf(explanations: Explanation[]): HTMLElement[] {
  if (explanations.length === 0) return [];
  const rows = explanations.map(({ label, explainer }) =>
    h(
      "li",
      { dir: "auto" },
      display(label),
      explainer === null ? null : h("small", { dir: "auto" }, display(explainer, 80)),
    ),
  );
  const [listed, others] = [rows.slice(0, OTHER_EXPLANATIONS), rows.slice(OTHER_EXPLANATIONS)];
  const more = h(
    "details",
    {},
    h("summary", { class: "more" }, `${others.length} more`),
    h("ul", {}, ...others),
  );
  return [h("h3", {}, "Other explanations"), h("ul", {}, ...listed), ...(others.length > 0 ? [more] : [])];
}

function factsOf(layer: Layer, node: number): HTMLElement[] {
  const facts: [string, string | null][] = [
    ["Category", layer.category[node]! < 0 ? null : layer.categories[layer.category[node]!]!],
    ["Active on", known(layer.density, node, (share) => `${formatShare(share)} of tokens`)],
    ["Largest activation", known(layer.maxActivation, node, (value) => String(+value.toPrecision(3)))],
    ["Neighbours kept in the map", known(layer.kept, node, (share) => `${Math.round(100 * share)} %`)],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [fact(name, value)]));
}

/** The links, and all stored neighbours if the layer has them: heading, note and rows. */
function fullSpace(layer: Layer, node: number, inMap: Set<number>): [string, string | null, Row[]] {
  const links = neighborsOf(layer.links, node);
  const stored = layer.nearest === null ? [] : neighborsOf(layer.nearest, node);
  const linked = new Set(links.map((other) => other.node));
  const rows = [...links, ...stored.filter((other) => !linked.has(other.node))]
    .sort((a, b) => b.cosine - a.cosine)
    .map((other) => ({ ...other, linked: linked.has(other.node), nearInBoth: inMap.has(other.node) }));
  const count = links.length === 0 ? NO_LINKS : counted(links.length, "link");
  if (layer.nearest === null) return links.length === 0 ? ["Links", count, rows] : [count, null, rows];
  return ["Nearest in the full space", links.length === 0 ? count : `${count}, in colour`, rows];
}

function known(values: Float32Array | null, node: number, format: (value: number) => string): string | null {
  const value = values?.[node];
  return value !== undefined && Number.isFinite(value) ? format(value) : null;
}
