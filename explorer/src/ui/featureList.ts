/** A list of features in a panel, each of which leads on. */
import type { Layer } from "../data/layer";
import { display } from "../data/text";
import { h, icon, setChildren } from "./dom";

const NEAR_IN_BOTH = "near in both";
const BOTH = "M14 12a5 5 0 1 1-10 0 5 5 0 0 1 10 0M20 12a5 5 0 1 1-10 0 5 5 0 0 1 10 0";

export interface ListEvents {
  onWalk(node: number): void;
  onPreview(node: number | null): void;
}

export interface Row {
  node: number;
  cosine: number | null;
  /** False for a neighbour in the full space that is not similar enough for a link. */
  linked: boolean;
  /** True if it is near in the full space and in the map. */
  nearInBoth: boolean;
}

/** A heading and a list of features, the first ones shown, each of which leads on. */
export class FeatureList {
  private readonly heading = h("h3");
  private readonly note = h("p", { class: "quiet" });
  private readonly list = h("ul", { class: "walk" });
  private readonly more = h(
    "button",
    { type: "button", class: "more", onclick: () => this.showAll() },
    "Show all",
  );
  readonly element = h("section", {}, this.heading, this.note, this.list, this.more);
  /** By node; of the layer that was shown last. */
  private elements = new Map<number, HTMLElement>();
  private layer: Layer | null = null;
  private rows: Row[] = [];

  constructor(
    private readonly events: ListEvents,
    private readonly listed: number,
  ) {}

  show(layer: Layer, heading: string, note: string | null, rows: Row[]): void {
    if (layer !== this.layer) this.elements.clear();
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
    const next = this.rows[this.listed]!.node;
    this.showRows(this.rows);
    this.elements.get(next)!.querySelector("button")!.focus({ preventScroll: true });
  }

  private showRows(rows: Row[]): void {
    const cosines = rows.flatMap(({ cosine }) => cosine ?? []);
    const [low, high] = [Math.min(...cosines), Math.max(...cosines)];
    const elements = rows.map((row) => {
      const element = this.elements.get(row.node) ?? this.row(row.node);
      const share = row.cosine === null || high === low ? 1 : (row.cosine - low) / (high - low);
      element.style.setProperty("--share", share.toFixed(3));
      element.classList.toggle("linked", row.linked);
      const [both, cosine] = element.querySelectorAll<HTMLElement>(".both, .cosine");
      both!.hidden = !row.nearInBoth;
      cosine!.hidden = row.cosine === null;
      cosine!.textContent = row.cosine?.toFixed(2) ?? "";
      return element;
    });
    this.elements = new Map(rows.map(({ node }, at) => [node, elements[at]!]));
    setChildren(this.list, elements);
  }

  private row(node: number): HTMLElement {
    const { events } = this;
    const label = this.layer!.labels[node] ?? null;
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "data-node": String(node),
          onclick: () => events.onWalk(node),
          onpointerenter: () => events.onPreview(node),
          onpointerleave: () => events.onPreview(null),
          onfocus: () => events.onPreview(node),
          onblur: () => events.onPreview(null),
        },
        h(
          "span",
          { class: label === null ? "label none" : "label", dir: "auto" },
          label === null ? `no label (#${this.layer!.index[node]})` : display(label, 120),
        ),
        h(
          "span",
          { class: "both", title: NEAR_IN_BOTH, role: "img", "aria-label": NEAR_IN_BOTH },
          icon(BOTH),
        ),
        h("span", { class: "cosine" }),
      ),
    );
  }
}
