/** The panel of the selected feature: what is known about it, its links and its nearest features. */
import { formatShare } from "../colors";
import { type Layer, linkCount, nearestNodes } from "../data/layer";
import { counted, display, encoded } from "../data/text";
import { byId, h, icon } from "./dom";

const LISTED = 12;
const NEAREST = 6;

export interface FeatureEvents {
  onWalk(node: number): void;
  onPreview(node: number | null): void;
  onFly(): void;
  onClose(): void;
}

export class FeaturePanel {
  private readonly panel = byId("feature");

  constructor(private readonly events: FeatureEvents) {}

  show(layer: Layer, node: number): void {
    const label = layer.labels[node] ?? null;
    this.panel.replaceChildren(
      h(
        "header",
        {},
        h("span", { class: "index" }, `Feature ${layer.index[node]}`),
        h("span", { class: "spacer" }),
        this.button(
          "Fly to this feature",
          "M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6",
          this.events.onFly,
        ),
        this.button("Close", "m7 7 10 10M17 7 7 17", this.events.onClose),
      ),
      h(
        "h2",
        { class: label === null ? "none" : "", dir: "auto" },
        label === null ? "No label" : display(label),
      ),
      this.facts(layer, node),
      ...this.outwards(layer, node),
      ...this.links(layer, node),
      ...this.nearest(layer, node),
    );
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
  }

  hide(): void {
    this.panel.hidden = true;
    this.panel.replaceChildren();
  }

  private facts(layer: Layer, node: number): HTMLElement {
    const facts: [string, string | null][] = [
      ["Explained by", layer.explainers?.[node] ?? null],
      ["Category", layer.category[node]! < 0 ? null : layer.categories[layer.category[node]!]!],
      ["Active on", known(layer.density, node, (share) => `${formatShare(share)} of tokens`)],
      ["Largest activation", known(layer.maxActivation, node, (value) => String(+value.toPrecision(3)))],
    ];
    const rows = facts.flatMap(([name, value]) =>
      value === null ? [] : [h("div", {}, h("dt", {}, name), h("dd", { dir: "auto" }, display(value, 80)))],
    );
    return h("dl", { class: "facts" }, ...rows);
  }

  private outwards(layer: Layer, node: number): HTMLElement[] {
    if (layer.neuronpedia === null) return [];
    const { modelId, sourceId } = layer.neuronpedia;
    const path = [modelId, sourceId, String(layer.index[node])].map(encoded).join("/");
    const href = `https://www.neuronpedia.org/${path}`;
    const properties = { class: "outwards", href, target: "_blank", rel: "noopener noreferrer" };
    return [h("a", properties, "Open on Neuronpedia", icon("M9 7h8v8M17 7 7 17"))];
  }

  private links(layer: Layer, node: number): HTMLElement[] {
    const count = linkCount(layer, node);
    if (count === 0)
      return [h("h3", {}, "Links"), h("p", { class: "quiet" }, "No feature is similar enough for a link.")];
    const from = layer.links.offset[node]!;
    const rows = Array.from({ length: count }, (_, at) =>
      this.row(layer, layer.links.neighbor[from + at]!, layer.links.weight[from + at]!),
    );
    const list = h("ul", { class: "walk" }, ...rows.slice(0, LISTED));
    const heading = h("h3", {}, counted(count, "link"), h("span", { class: "unit" }, "cosine"));
    if (count <= LISTED) return [heading, list];
    const showAll = () => {
      list.append(...rows.slice(LISTED));
      more.remove();
    };
    const more = h("button", { class: "more", onclick: showAll }, `Show all ${count}`);
    return [heading, list, more];
  }

  private nearest(layer: Layer, node: number): HTMLElement[] {
    const rows = nearestNodes(layer, node, NEAREST).map((other) => this.row(layer, other, null));
    return rows.length === 0 ? [] : [h("h3", {}, "Nearest in the map"), h("ul", { class: "walk" }, ...rows)];
  }

  private row(layer: Layer, node: number, cosine: number | null): HTMLElement {
    const label = layer.labels[node] ?? null;
    const row = h(
      "button",
      {
        onclick: () => this.events.onWalk(node),
        onpointerenter: () => this.events.onPreview(node),
        onpointerleave: () => this.events.onPreview(null),
        onfocus: () => this.events.onPreview(node),
        onblur: () => this.events.onPreview(null),
      },
      h(
        "span",
        { class: label === null ? "label none" : "label", dir: "auto" },
        label === null ? `no label (#${layer.index[node]})` : display(label, 120),
      ),
      cosine === null ? null : h("span", { class: "cosine" }, cosine.toFixed(2)),
    );
    if (cosine !== null) row.style.setProperty("--cosine", cosine.toFixed(3));
    return h("li", {}, row);
  }

  private button(name: string, path: string, onclick: () => void): HTMLElement {
    return h("button", { class: "icon", "aria-label": name, title: name, onclick }, icon(path));
  }
}

function known(values: Float32Array | null, node: number, format: (value: number) => string): string | null {
  const value = values?.[node];
  return value !== undefined && Number.isFinite(value) ? format(value) : null;
}
