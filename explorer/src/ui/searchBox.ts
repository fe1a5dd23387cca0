/** The search field and its list of results: a combobox, as in the ARIA Authoring Practices. */
import type { Layer } from "../data/layer";
import type { Hits } from "../data/search";
import { counted } from "../data/text";
import type { State } from "../page/state";
import { byId, h, labelCell, pointing } from "./dom";
import { LayerHits } from "./layerHits";
import { shortPath } from "./regionPath";

const LISTED = 60;

export interface SearchEvents {
  onQuery(query: string): void;
  /** A result is hovered, or reached with the arrow keys. */
  onPreview(node: number | null): void;
  onChosen(node: number): void;
  /** To the results that filters hide. */
  onShowAll(): void;
}

export class SearchBox {
  readonly layers = new LayerHits();
  private readonly input = byId<HTMLInputElement>("search");
  private readonly list = byId<HTMLUListElement>("results");
  private readonly summary = byId("hits");
  private readonly showAll = byId("show-hits");
  private layer: Layer | null = null;
  private nodes: number[] = [];
  private active = -1;
  private searching = false;
  /** Enter was pressed before the results were there. */
  private entered = false;

  constructor(private readonly events: SearchEvents) {
    this.input.addEventListener("input", () => {
      this.entered = false;
      events.onQuery(this.input.value);
    });
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.showAll.addEventListener("click", () => {
      events.onShowAll();
      // The button has gone.
      this.input.focus();
    });
  }

  show({ layer, query, hits }: Pick<State, "layer" | "query" | "hits">): void {
    if (this.input.value !== query) this.input.value = query;
    this.searching = query.trim() !== "" && hits?.query !== query;
    // What was found before stays in sight until the new results are there.
    if (!layer || (this.searching && layer === this.layer)) return;
    this.layer = layer;
    this.nodes = hits?.nodes ?? [];
    this.active = -1;
    this.list.replaceChildren(...this.nodes.slice(0, LISTED).map((node, at) => this.row(layer, node, at)));
    this.list.scrollTop = 0;
    this.list.hidden = this.nodes.length === 0;
    this.input.setAttribute("aria-expanded", String(this.nodes.length > 0));
    this.input.removeAttribute("aria-activedescendant");
    if (this.entered && !this.searching) this.choose();
  }

  /** Says where the results lie, and which of them filters hide. */
  locate({ layer, hits, shown }: Pick<State, "layer" | "hits" | "shown">): void {
    const isHidden = (node: number) => shown !== null && shown[node] === 0;
    const hidden = this.nodes.filter(isHidden).length;
    this.summary.hidden = hits === null;
    this.summary.textContent = hits === null ? "" : summary(hits, hidden);
    this.showAll.hidden = hidden === 0;
    if (layer !== this.layer) return;
    [...this.list.children].forEach((row, at) => {
      const node = this.nodes[at]!;
      const parts = [
        isHidden(node) ? "hidden by a filter" : "",
        layer === null ? "" : shortPath(layer, layer.regionOf[node]!),
      ];
      row.querySelector("small")!.textContent = parts.filter((part) => part !== "").join(", ");
      row.classList.toggle("hidden-hit", isHidden(node));
    });
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  private row(layer: Layer, node: number, at: number): HTMLElement {
    return h(
      "li",
      {
        id: `result-${at}`,
        role: "option",
        "data-node": String(node),
        "aria-selected": "false",
        onclick: () => this.events.onChosen(node),
        ...pointing(node, this.events.onPreview),
      },
      labelCell(layer.labels[node] ?? null),
      h("span", { class: "index" }, `#${layer.index[node]}`),
      h("small", { dir: "auto" }),
    );
  }

  private onKey(event: KeyboardEvent): void {
    const listed = Math.min(this.nodes.length, LISTED);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (listed === 0) return;
      event.preventDefault();
      this.activate(
        (this.active + (event.key === "ArrowDown" ? 1 : this.active < 0 ? listed : listed - 1)) % listed,
      );
    } else if (event.key === "Enter") {
      event.preventDefault();
      this.entered = this.searching;
      if (!this.searching) this.choose();
    }
  }

  private choose(): void {
    this.entered = false;
    const node = this.nodes[Math.max(0, this.active)];
    if (node !== undefined) this.events.onChosen(node);
  }

  private activate(at: number): void {
    this.list.children[this.active]?.setAttribute("aria-selected", "false");
    this.active = at;
    const row = this.list.children[at]!;
    row.setAttribute("aria-selected", "true");
    row.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", row.id);
    this.events.onPreview(this.nodes[at]!);
  }
}

function summary({ nodes, best, whole }: Hits, hidden: number): string {
  if (nodes.length === 0) return "No feature found";
  const parts = [
    whole ? counted(best, "feature") : `No feature matches in full, ${best.toLocaleString("en")} in part`,
  ];
  if (nodes.length > best) parts.push(`${(nodes.length - best).toLocaleString("en")} with some of the words`);
  if (hidden > 0) parts.push(`${hidden.toLocaleString("en")} hidden`);
  if (nodes.length > LISTED) parts.push(`the best ${LISTED} listed`);
  return parts.join(", ");
}
