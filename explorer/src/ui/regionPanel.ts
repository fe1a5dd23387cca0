/** The panel of the chosen region: where it is, its parts, and its features. */
import type { Layer } from "../data/layer";
import { nodesIn, partsOf, titleOf } from "../data/regions";
import { counted, display } from "../data/text";
import { CLOSE, FLY, h, iconButton } from "./dom";
import { FeatureList, type ListEvents } from "./featureList";
import { ReadingPanel } from "./readingPanel";
import { regionPath } from "./regionPath";
import { regionRow } from "./regionTree";

/** Features shown at first. */
const LISTED = 15;

export interface RegionEvents extends ListEvents {
  onRegion(region: number): void;
  onFly(): void;
  onClose(): void;
}

export class RegionPanel extends ReadingPanel {
  private readonly path = h("p", { class: "path" });
  private readonly parts = h("ul", { class: "walk" });
  private readonly inside = h("section", {}, h("h3", {}, "Parts"), this.parts);
  private readonly features: FeatureList;

  constructor(private readonly events: RegionEvents) {
    super("region");
    const fly = iconButton("Fly to this region", FLY, events.onFly);
    this.header.append(fly, iconButton("Close", CLOSE, events.onClose));
    this.features = new FeatureList(events, LISTED);
    this.panel.append(this.path, this.inside, this.features.element);
  }

  show(layer: Layer, region: number): void {
    const hadFocus = this.hasFocus;
    const { name, parent, size } = layer.regions[region]!;
    this.kind.textContent = name === null ? "Region without a name" : `Region, ${counted(size, "feature")}`;
    this.heading.textContent = display(titleOf(layer, region), 200);
    this.heading.classList.toggle("none", name === null);
    this.path.replaceChildren(...regionPath(layer, parent, this.events.onRegion));
    const parts = partsOf(layer, region);
    const rows = parts.map((part) => {
      const onclick = () => this.events.onRegion(part);
      return h("li", {}, h("button", { onclick }, ...regionRow(layer, part)));
    });
    this.parts.replaceChildren(...rows);
    this.inside.hidden = parts.length === 0;
    const nodes = nodesIn(layer, region);
    this.features.show(
      layer,
      "Features",
      null,
      nodes.map((node) => ({ node })),
    );
    this.open(hadFocus);
  }
}
