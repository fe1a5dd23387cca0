/** The regions of a map as a table of contents: a tree, as in the ARIA Authoring Practices. */
import type { Layer } from "../data/layer";
import { nameOf, partsOf, pathOf } from "../data/regions";
import type { State } from "../page/state";
import { byId, h, icon, labelCell, setChildren } from "./dom";

export interface TreeEvents {
  onChosen(region: number): void;
  /** The tree has been opened. */
  onOpened(): void;
}

/** What a list shows of a region: its name, and a count, which `unit` explains to screen readers. */
export function regionRow(
  layer: Layer,
  region: number,
  count = layer.regions[region]!.size.toLocaleString("en"),
  unit = count === "1" ? " feature" : " features",
): (HTMLElement | string)[] {
  const name = labelCell(layer.regions[region]!.name, nameOf(layer, region));
  const hidden = h("span", { class: "visually-hidden" }, unit);
  return [name, " ", h("span", { class: "index" }, count, hidden)];
}

export class RegionTree {
  private readonly button = byId<HTMLButtonElement>("contents");
  private readonly tree = byId<HTMLUListElement>("regions");
  private layer: Layer | null = null;
  private isOpen = false;
  private searching = false;
  private chosen: number | null = null;
  private readonly expanded = new Set<number>();
  /** By region; of the layer that is shown. */
  private readonly rows = new Map<number, HTMLElement>();
  /** The region whose row the Tab key reaches. */
  private active = 0;

  constructor(private readonly events: TreeEvents) {
    this.button.addEventListener("click", () => this.setOpen(!this.isShown));
    this.tree.addEventListener("keydown", (event) => this.onKey(event));
  }

  get isShown(): boolean {
    return !this.tree.hidden;
  }

  show({ layer, region, query }: Pick<State, "layer" | "region" | "query">): void {
    // Both maps of a layer have the same regions.
    if (layer?.index !== this.layer?.index) {
      this.expanded.clear();
      this.rows.clear();
      this.active = 0;
    }
    this.layer = layer;
    this.searching = query !== "";
    const isNew = region !== null && region !== this.chosen;
    if (isNew && layer) {
      for (const around of pathOf(layer, layer.regions[region]!.parent)) this.expanded.add(around);
      this.active = region;
    }
    this.chosen = region;
    this.render();
    if (isNew) this.rows.get(region)?.scrollIntoView({ block: "nearest" });
  }

  /** Shows the tree and goes there, or hides it. */
  toggle(): void {
    const hadFocus = this.tree.contains(document.activeElement);
    this.setOpen(!this.isShown);
    if (this.isShown) this.focus();
    else if (hadFocus) this.button.focus();
  }

  focus(): void {
    this.rows.get(this.active)?.focus();
  }

  private setOpen(open: boolean): void {
    this.isOpen = open;
    if (open) this.events.onOpened();
    this.render();
  }

  private render(): void {
    const { layer } = this;
    const count = layer?.regions.length ?? 0;
    this.button.hidden = count === 0;
    this.tree.hidden = count === 0 || !this.isOpen || this.searching;
    this.button.setAttribute("aria-expanded", String(!this.tree.hidden));
    if (layer === null || this.tree.hidden) return;
    const shown = this.shownRegions();
    if (!shown.includes(this.active)) this.active = shown[0]!;
    const rows = shown.map((region) => this.rows.get(region) ?? this.row(layer, region));
    rows.forEach((row, at) => {
      const region = shown[at]!;
      this.rows.set(region, row);
      row.tabIndex = region === this.active ? 0 : -1;
      row.setAttribute("aria-selected", String(region === this.chosen));
      if (row.hasAttribute("aria-expanded"))
        row.setAttribute("aria-expanded", String(this.expanded.has(region)));
    });
    setChildren(this.tree, rows);
  }

  /** Those that are not inside a collapsed one, in order. */
  private shownRegions(): number[] {
    const shown = (region: number): number[] =>
      this.expanded.has(region) ? [region, ...partsOf(this.layer!, region).flatMap(shown)] : [region];
    return partsOf(this.layer!, null).flatMap(shown);
  }

  private row(layer: Layer, region: number): HTMLElement {
    const { level, parent, end } = layer.regions[region]!;
    const siblings = partsOf(layer, parent < 0 ? null : parent);
    const toggle = h("span", { class: "twisty", "aria-hidden": "true" });
    if (end > region + 1) toggle.append(icon("m10 7 5 5-5 5"));
    toggle.addEventListener("click", (event) => {
      event.stopPropagation();
      this.expand(region, !this.expanded.has(region));
    });
    return h(
      "li",
      {
        role: "treeitem",
        "aria-level": String(level),
        "aria-setsize": String(siblings.length),
        "aria-posinset": String(siblings.indexOf(region) + 1),
        ...(end > region + 1 && { "aria-expanded": "false" }),
        onclick: () => this.events.onChosen(region),
        onfocus: () => this.activate(region),
      },
      toggle,
      ...regionRow(layer, region),
    );
  }

  private activate(region: number): void {
    const before = this.rows.get(this.active);
    if (before) before.tabIndex = -1;
    this.active = region;
    this.rows.get(region)!.tabIndex = 0;
  }

  private expand(region: number, expand: boolean): void {
    if (expand) this.expanded.add(region);
    else this.expanded.delete(region);
    this.render();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const { active, expanded } = this;
    const { parent, end } = this.layer!.regions[active]!;
    const shown = this.shownRegions();
    const at = shown.indexOf(active);
    const go = (region: number | undefined) => region !== undefined && this.rows.get(region)?.focus();
    const actions: Record<string, () => void> = {
      ArrowDown: () => go(shown[at + 1]),
      ArrowUp: () => go(shown[at - 1]),
      Home: () => go(shown[0]),
      End: () => go(shown.at(-1)),
      ArrowRight: () => {
        if (expanded.has(active)) go(active + 1);
        else if (end > active + 1) this.expand(active, true);
      },
      ArrowLeft: () => {
        if (expanded.has(active)) this.expand(active, false);
        else if (parent >= 0) go(parent);
      },
      Enter: () => this.events.onChosen(active),
      " ": () => this.events.onChosen(active),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  }
}
