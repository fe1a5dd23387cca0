/** How many features a search finds in each layer: a row of layers, each of which leads there. */
import { byId, h, setChildren } from "./dom";

export class LayerHits {
  onLayer: (layer: number) => void = () => {};
  private readonly element = byId("layer-hits");
  private readonly list = h("ul");
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
    const rows = layers.map((layer) => this.row(layer, counts.get(layer) ?? 0, layer === here));
    setChildren(this.list, rows);
    rows[layers.indexOf(here)]!.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  private row(layer: number, count: number, isHere: boolean): HTMLElement {
    const hidden = (text: string) => h("span", { class: "visually-hidden" }, text);
    const button = h(
      "button",
      { onclick: () => this.onLayer(layer), ...(isHere && { "aria-current": "true" }) },
      h("span", { class: "layer" }, hidden("Layer "), String(layer)),
      hidden(": "),
      h("span", {}, count.toLocaleString("en")),
      hidden(" found"),
    );
    return h("li", { "data-key": String(layer) }, button);
  }
}
