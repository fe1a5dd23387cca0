/** A list of features in a panel, each of which leads on. */
import type { Layer } from "../data/layer";
import { h, icon, labelCell, pointing, setChildren } from "./dom";

const NEAR_IN_BOTH = "near in both";
const BOTH = "M14 12a5 5 0 1 1-10 0 5 5 0 0 1 10 0M20 12a5 5 0 1 1-10 0 5 5 0 0 1 10 0";

export interface ListEvents {
  onWalk(node: number): void;
  onPreview(node: number | null): void;
}

export interface Row {
  node: number;
  cosine?: number | null;
  /** False for a neighbour in the full space that is not similar enough for a link. */
  linked?: boolean;
  /** True if it is near in the full space and in the map. */
  nearInBoth?: boolean;
}

/** A heading and a list of features, the first ones shown, each of which leads on. */
export class FeatureList {
  private readonly heading = h("h3");
  private readonly note = h("p", { class: "quiet" });
  private readonly list = h("ul", { class: "walk" });
  private readonly more = h("button", { class: "more", onclick: () => this.showAll() }, "Show all");
  readonly element = h("section", {}, this.heading, this.note, this.list, this.more);
  private layer: Layer | null = null;
  private rows: Row[] = [];

  constructor(
    private readonly events: ListEvents,
    private readonly listed: number,
  ) {}

  show(layer: Layer, heading: string, note: string | null, rows: Row[]): void {
    this.layer = layer;
    this.rows = rows;
    const unit = rows[0]?.cosine == null ? null : h("span", { class: "unit" }, "cosine");
    this.heading.replaceChildren(heading, ...(unit ? [unit] : []));
    this.note.textContent = note;
    this.note.hidden = note === null;
    this.more.textContent = `Show all ${rows.length}`;
    this.more.hidden = rows.length <= this.listed;
    this.showRows(rows.slice(0, this.listed));
  }

  private showAll(): void {
    this.more.hidden = true;
    this.showRows(this.rows);
    this.list.children[this.listed]!.querySelector("button")!.focus({ preventScroll: true });
  }

  private showRows(rows: Row[]): void {
    const cosines = rows.flatMap(({ cosine }) => cosine ?? []);
    const [low, high] = [Math.min(...cosines), Math.max(...cosines)];
    const shareOf = (cosine: number) => (high === low ? 1 : (cosine - low) / (high - low));
    setChildren(
      this.list,
      rows.map((row) => this.row(row, shareOf)),
    );
  }

  private row({ node, cosine, linked, nearInBoth }: Row, shareOf: (cosine: number) => number): HTMLElement {
    const { layer, index, labels } = this.layer!;
    const { onWalk, onPreview } = this.events;
    const both = { class: "both", title: NEAR_IN_BOTH, role: "img", "aria-label": NEAR_IN_BOTH };
    const row = h(
      "li",
      { "data-key": `${layer}/${node}`, class: linked ? "linked" : "" },
      h(
        "button",
        { "data-node": String(node), onclick: () => onWalk(node), ...pointing(node, onPreview) },
        labelCell(labels[node] ?? null, `no label (#${index[node]})`),
        nearInBoth ? h("span", both, icon(BOTH)) : null,
        cosine == null ? null : h("span", { class: "cosine" }, cosine.toFixed(2)),
      ),
    );
    if (cosine != null) row.style.setProperty("--share", shareOf(cosine).toFixed(3));
    return row;
  }
}
