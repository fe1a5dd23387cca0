/** The panel of a comparison: what two layers have in common, and where they differ. */
import type { Alone, Changed } from "../data/comparison";
import type { Layer } from "../data/layer";
import type { Hits } from "../data/search";
import { display } from "../data/text";
import { CLOSE, fact, h, iconButton } from "./dom";
import { FeatureList, type ListEvents, type Row } from "./featureList";
import { ReadingPanel } from "./readingPanel";
import { regionRow } from "./regionTree";

/** Rows shown at first. */
const FEATURES = 6;
const REGIONS = 5;
/** Rows at most. */
const LISTED = 100;

export interface SideEvents extends ListEvents {
  onRegion(region: number): void;
}

/** One of the two layers. */
export interface Side {
  layer: Layer;
  name: string;
  /** Null where no tracks join the layers. */
  alone: Alone | null;
}

export interface ComparisonEvents {
  sides: [SideEvents, SideEvents];
  onLight(lit: boolean): void;
  onClose(): void;
}

export class ComparisonPanel extends ReadingPanel {
  private readonly note = h("p", { class: "quiet" });
  private readonly facts = h("dl", { class: "facts" });
  private readonly light = h("input", { type: "checkbox", id: "light-differences" });
  private readonly switch = h(
    "label",
    { class: "quiet switch" },
    this.light,
    " Light up what only one of them has",
  );
  private readonly found: FeatureList;
  private readonly regions: HTMLElement[];
  private readonly features: FeatureList[];

  constructor(private readonly events: ComparisonEvents) {
    super("comparison");
    this.header.append(iconButton("End the comparison", CLOSE, events.onClose));
    this.kind.textContent = "Comparison";
    this.light.addEventListener("change", () => events.onLight(this.light.checked));
    this.found = new FeatureList(events.sides[1], FEATURES);
    this.regions = events.sides.map(() => h("section"));
    this.features = events.sides.map((side) => new FeatureList(side, FEATURES));
    for (const list of [this.found, this.features[1]!]) list.element.dataset.map = "beside";
    this.panel.append(
      this.note,
      this.facts,
      this.switch,
      this.found.element,
      ...this.regions,
      ...this.features.map(({ element }) => element),
    );
  }

  show(sides: [Side, Side], note: string, facts: [string, string][]): void {
    this.heading.textContent = `${sides[0].name} and ${lower(sides[1].name)}`;
    this.note.textContent = note;
    this.facts.replaceChildren(...facts.map(([name, value]) => fact(name, value)));
    this.switch.hidden = sides[0].alone === null;
    sides.forEach(({ layer, name, alone }, at) => {
      const regions = alone?.regions ?? [];
      this.regions[at]!.hidden = regions.length === 0;
      this.regions[at]!.replaceChildren(
        h("h3", {}, `Regions mostly of ${lower(name)} only`),
        h(
          "ul",
          { class: "walk" },
          ...regions.slice(0, REGIONS).map((entry) => this.region(layer, entry, at)),
        ),
      );
      const nodes = alone?.nodes ?? [];
      const list = this.features[at]!;
      list.element.hidden = nodes.length === 0;
      const most = nodes.length > LISTED ? `${LISTED} of ${nodes.length.toLocaleString("en")}` : null;
      list.show(layer, `Only in ${lower(name)}`, most, rowsOf(nodes));
    });
  }

  /** What the search finds in the second layer; null without a search. */
  showFound({ layer, name }: Side, hits: Hits | null): void {
    const nodes = hits?.nodes.slice(0, hits.best) ?? [];
    this.found.element.hidden = nodes.length === 0;
    this.found.show(layer, `Found in ${lower(name)}`, null, rowsOf(nodes));
  }

  showLit(lit: boolean): void {
    this.light.checked = lit;
  }

  setShown(shown: boolean): void {
    this.panel.hidden = !shown;
  }

  private region(layer: Layer, { region, size, alone }: Changed, at: number): HTMLElement {
    const choose = () => this.events.sides[at]!.onRegion(region);
    const row = regionRow(layer, region, `${alone} of ${size}`, " only there");
    return h("li", {}, h("button", { onclick: choose }, ...row));
  }
}

/** Within a sentence: "layer 5". */
function lower(name: string): string {
  return name.startsWith("Layer ") ? name.replace("Layer", "layer") : display(name, 60);
}

function rowsOf(nodes: number[]): Row[] {
  return nodes.slice(0, LISTED).map((node) => ({ node }));
}

/** "1,203 of 2,048, 59 %". */
export function shareOf(count: number, of: number): string {
  const percent = Math.round((100 * count) / of);
  return `${count.toLocaleString("en")} of ${of.toLocaleString("en")}, ${percent} %`;
}
