/** Which links are drawn: a threshold on their cosine, over a histogram of all links. */
import { counted } from "../data/text";
import type { State } from "../page/state";
import type { LinkOrder } from "../scene/linkOrder";
import { bars, byId } from "./dom";

const BARS = 44;

export interface LinkEvents {
  onCosine(minCosine: number): void;
  onToggle(): void;
}

export class LinkControl {
  private readonly slider = byId<HTMLInputElement>("link-cosine");
  private readonly toggle = byId<HTMLButtonElement>("links");
  private order: LinkOrder | null = null;

  constructor(events: LinkEvents) {
    this.slider.addEventListener("input", () => events.onCosine(Number(this.slider.value)));
    this.toggle.addEventListener("click", () => events.onToggle());
  }

  /** A map without links has no control. */
  show(
    order: LinkOrder | null,
    {
      layer,
      linksVisible: visible,
      minCosine,
      shown,
    }: Pick<State, "layer" | "linksVisible" | "minCosine" | "shown">,
  ): void {
    const total = order?.edges.length ?? 0;
    byId("link-control").hidden = total === 0;
    if (!layer || order === null || total === 0) return;
    if (order !== this.order) this.setOrder(order);
    this.slider.value = String(minCosine ?? order.defaultCosine);
    const cosine = Number(this.slider.value);
    const shownLinks = shown ? order.countShown(cosine, layer.edges, shown) : order.count(cosine);
    const drawn = visible ? shownLinks : 0;
    const text = `${drawn.toLocaleString("en")} of ${counted(total, "link")} drawn`;
    byId("link-count").textContent = text;
    byId("link-least").textContent = cosine.toFixed(2);
    this.slider.setAttribute("aria-valuetext", `cosine ${cosine.toFixed(2)}, ${text}`);
    this.toggle.setAttribute("aria-pressed", String(visible));
    const { min, max } = this.slider;
    const share = (cosine - Number(min)) / (Number(max) - Number(min) || 1);
    byId("link-drawn").setAttribute("x", visible ? String(BARS * share) : String(BARS));
  }

  private setOrder(order: LinkOrder): void {
    this.order = order;
    const [low, high] = order.range;
    this.slider.min = String(low);
    this.slider.max = String(high);
    const edges = Array.from({ length: BARS + 1 }, (_, bar) => low + (bar / BARS) * (high - low));
    const counts = edges.slice(0, -1).map((edge, bar) => {
      return order.count(edge) - (bar === BARS - 1 ? 0 : order.count(edges[bar + 1]!));
    });
    for (const path of document.querySelectorAll("#link-histogram path"))
      path.setAttribute("d", bars(counts).join(""));
  }
}
