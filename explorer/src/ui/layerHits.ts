/** How many features a search finds in each layer: a row of layers, each of which leads there. */
import { byId, h, setChildren } from "./dom";

export class LayerHits {
  onLayer: (layer: number) => void = () => {};
  private readonly element = byId("layer-hits");
  private readonly list = h("ul");
  /** By layer. */
  private readonly rows = new Map<number, { row: HTMLElement; button: HTMLElement; count: HTMLElement }>();

  constructor() {
    this.element.append(h("p", { class: "quiet" }, "By layer"), this.list);
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** `here`: the layer that is shown. */
  show(counts: ReadonlyMap<number, number>, here: number): void {
    const layers = [...new Set([...counts.keys(), here])].sort((a, b) => a - b);
    this.element.hidden = layers.every((layer) => layer === here);
    const rows = layers.map((layer) => {
      const parts = this.rows.get(layer) ?? this.row(layer);
      this.rows.set(layer, parts);
      parts.count.textContent = (counts.get(layer) ?? 0).toLocaleString("en");
      if (layer === here) parts.button.setAttribute("aria-current", "true");
      else parts.button.removeAttribute("aria-current");
      return parts.row;
    });
    setChildren(this.list, rows);
    this.rows.get(here)!.row.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private row(layer: number) {
    const hidden = (text: string) => h("span", { class: "visually-hidden" }, text);
    const count = h("span");
    const button = h(
      "button",
      { type: "button", onclick: () => this.onLayer(layer) },
      h("span", { class: "layer" }, hidden("Layer "), String(layer)),
      hidden(": "),
      count,
      hidden(" found"),
    );
    return { row: h("li", {}, button), button, count };
  }
}
