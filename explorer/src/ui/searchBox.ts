/** The search field and its list of results: a combobox, as in the ARIA Authoring Practices. */
import type { Layer } from "../data/layer";
import { search } from "../data/search";
import { counted, display } from "../data/text";
import { byId, h } from "./dom";

const LISTED = 60;

export interface SearchEvents {
  /** The nodes that match, best first; null when the field is empty. */
  onSearch(hits: number[] | null): void;
  /** A result is hovered, or reached with the arrow keys. */
  onPreview(node: number | null): void;
  onChosen(node: number): void;
}

export class SearchBox {
  private readonly input = byId<HTMLInputElement>("search");
  private readonly list = byId<HTMLUListElement>("results");
  private readonly summary = byId("hits");
  private layer: Layer | null = null;
  private nodes: number[] = [];
  private active = -1;

  constructor(private readonly events: SearchEvents) {
    this.input.addEventListener("input", () => this.run());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
  }

  /** Repeats the search in a new layer. */
  setLayer(layer: Layer): void {
    this.layer = layer;
    this.run();
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** Empties the field. Returns false if it was empty. */
  clear(): boolean {
    if (this.input.value === "") return false;
    this.input.value = "";
    this.run();
    return true;
  }

  private run(): void {
    if (!this.layer) return;
    const query = this.input.value.trim();
    this.nodes = query === "" ? [] : search(this.layer, query).nodes;
    this.active = -1;
    this.list.replaceChildren(...this.nodes.slice(0, LISTED).map((node, at) => this.row(node, at)));
    this.list.scrollTop = 0;
    this.list.hidden = this.nodes.length === 0;
    this.summary.hidden = query === "";
    this.summary.textContent = summary(this.nodes.length);
    this.input.setAttribute("aria-expanded", String(this.nodes.length > 0));
    this.input.removeAttribute("aria-activedescendant");
    this.events.onSearch(query === "" ? null : this.nodes);
  }

  private row(node: number, at: number): HTMLElement {
    const label = this.layer!.labels[node];
    return h(
      "li",
      {
        id: `result-${at}`,
        role: "option",
        "aria-selected": "false",
        onclick: () => this.events.onChosen(node),
        onpointerenter: () => this.events.onPreview(node),
        onpointerleave: () => this.events.onPreview(null),
      },
      h(
        "span",
        { class: label == null ? "label none" : "label", dir: "auto" },
        label == null ? "no label" : display(label, 160),
      ),
      h("span", { class: "index" }, `#${this.layer!.index[node]}`),
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
    } else if (event.key === "Enter" && listed > 0) {
      event.preventDefault();
      this.events.onChosen(this.nodes[Math.max(0, this.active)]!);
    }
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

function summary(count: number): string {
  if (count === 0) return "No feature found";
  const all = counted(count, "feature");
  return count > LISTED ? `${all}, the best ${LISTED} listed` : all;
}
