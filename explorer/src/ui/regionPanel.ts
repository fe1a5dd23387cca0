/** The panel of the chosen region: where it is, its parts, and its features. */
import type { Layer } from "../data/layer";
import { nodesIn, partsOf, titleOf } from "../data/regions";
import { counted, display } from "../data/text";
import { byId, CLOSE, FLY, h, iconButton } from "./dom";
import { FeatureList, type ListEvents } from "./featureList";
import { regionPath } from "./regionPath";
import { regionRow } from "./regionTree";

/** Features shown at first. */
const LISTED = 15;

export interface RegionEvents extends ListEvents {
  onRegion(region: number): void;
  onFly(): void;
  onClose(): void;
}

export class RegionPanel {
  private readonly panel = byId("region");
  private readonly kind = h("span", { class: "index" });
  private readonly heading = h("h2", { tabIndex: -1, dir: "auto" });
  private readonly path = h("p", { class: "path" });
  private readonly parts = h("ul", { class: "walk" });
  private readonly inside = h("section", {}, h("h3", {}, "Parts"), this.parts);
  private readonly features: FeatureList;

  constructor(private readonly events: RegionEvents) {
    this.features = new FeatureList(events, LISTED);
    this.panel.append(
      h(
        "header",
        {},
        this.kind,
        h("span", { class: "spacer" }),
        iconButton("Fly to this region", FLY, events.onFly),
        iconButton("Close", CLOSE, events.onClose),
      ),
      this.heading,
      this.path,
      this.inside,
      this.features.element,
    );
  }

  get hasFocus(): boolean {
    return this.panel.contains(document.activeElement);
  }

  show(layer: Layer, region: number): void {
    const hadFocus = this.hasFocus;
    const { name, parent, size } = layer.regions[region]!;
    this.kind.textContent = name === null ? "Region without a name" : `Region, ${counted(size, "feature")}`;
    this.heading.textContent = display(titleOf(layer, region), 200);
    this.heading.classList.toggle("none", name === null);
    this.path.replaceChildren(...regionPath(layer, parent, this.events.onRegion));
    const parts = partsOf(layer, region);
    const rows = parts.map((part) => h("li", {}, this.part(layer, part)));
    this.parts.replaceChildren(...rows);
    this.inside.hidden = parts.length === 0;
    const nodes = nodesIn(layer, region);
    const features = nodes.map((node) => ({ node, cosine: null, linked: false, nearInBoth: false }));
    this.features.show(layer, "Features", null, features);
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    // The row that had it leads here, and is gone.
    if (hadFocus && !this.hasFocus) this.focus();
  }

  hide(): void {
    this.panel.hidden = true;
  }

  focus(): void {
    this.heading.focus({ preventScroll: true });
  }

  private part(layer: Layer, region: number): HTMLElement {
    const onclick = () => this.events.onRegion(region);
    return h("button", { type: "button", onclick }, ...regionRow(layer, region));
  }
}
