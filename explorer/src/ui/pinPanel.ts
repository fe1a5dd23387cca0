/** The panel of the pinned features: its name, its members, and what can be done with them. */
import type { FeatureSet } from "../data/featureSet";
import { counted } from "../data/text";
import type { FeatureId } from "../data/tracks";
import type { Drawing } from "../page/state";
import { copyButtons, type Format } from "./copy";
import { byId, CLOSE, h, iconButton, labelCell, pointing, setOptions, textButton } from "./dom";

/** Rows shown at first. */
const LISTED = 100;
const EMPTY =
  "Shift and click pins a feature, Shift and drag all in a box, with Alt in a lasso; P the selected one. Or paste a " +
  "list: indices, ids, addresses of Neuronpedia.";
const TOO_LONG = "Too many for a link: save the set, or copy it as JSON.";

export interface PinEvents {
  onWalk(feature: FeatureId): void;
  onPreview(node: number | null): void;
  onRemove(feature: FeatureId): void;
  onName(name: string): void;
  onText(text: string): void;
  onPinAll(): void;
  onClear(): void;
  /** Drags on the map draw this from now on; null: they turn it. */
  onDrawing(drawing: Drawing | null): void;
  onUndo(): void;
  onSave(): void;
  onForget(): void;
  /** A saved set of that name. */
  onOpen(name: string): void;
  onCopy(format: Format): Promise<string>;
}

interface Row extends FeatureId {
  label: string | null;
  /** Null on another layer. */
  node: number | null;
}

export interface PinView {
  set: FeatureSet;
  rowOf(feature: FeatureId): Row;
  /** The layer that is shown. */
  layer: number;
  /** How many of the set are on that layer. */
  onLayer: number;
  /** How many features of that layer go on from the others. */
  followed: number;
  /** What can be pinned at once. */
  offer: string | null;
  undoable: boolean;
  /** The address cannot hold the set. */
  tooLong: boolean;
  /** Names of the sets in this browser. */
  saved: string[];
}

export class PinPanel {
  private readonly panel = byId("pin-panel");
  private readonly button = byId("pins");
  private readonly heading = h("h2", { tabindex: "-1" }, "Pinned features");
  private readonly count = h("p", { class: "quiet" });
  private readonly name: HTMLInputElement = h("input", {
    type: "text",
    placeholder: "Name of the set",
    autocomplete: "off",
    "aria-label": "Name of the set",
    onchange: () => this.events.onName(this.name.value),
  });
  private readonly save = textButton("Save", () => this.events.onSave());
  private readonly forget = textButton("Forget", () => this.events.onForget());
  private readonly saved: HTMLSelectElement = h("select", {
    "aria-label": "Sets saved in this browser",
    onchange: () => this.saved.value !== "" && this.events.onOpen(this.saved.value),
  });
  private readonly shapes = { box: this.shape("box", "Box"), lasso: this.shape("lasso", "Lasso") };
  private readonly all = h("button", { class: "more", onclick: () => this.events.onPinAll() }, "Pin all");
  private readonly list = h("ul", { class: "walk" });
  private readonly more = h("button", { class: "more", onclick: () => this.showAll() }, "Show all");
  private readonly copies = copyButtons((format) => this.events.onCopy(format));
  private readonly undo = textButton("Undo", () => this.events.onUndo());
  private readonly clear = textButton("Unpin all", () => this.events.onClear());
  private view: PinView | null = null;
  private limit = LISTED;

  constructor(private readonly events: PinEvents) {
    const paste = h("input", {
      id: "pin-text",
      type: "text",
      placeholder: "Indices, ids or addresses",
      autocomplete: "off",
      "aria-label": "Features to pin: indices, ids such as gemma-2-2b:12:45, or addresses of Neuronpedia",
    });
    const add = () => {
      if (paste.value.trim() !== "") events.onText(paste.value);
      paste.value = "";
    };
    paste.addEventListener("keydown", (event) => event.key === "Enter" && add());
    this.panel.append(
      h(
        "header",
        {},
        this.heading,
        iconButton("Close", CLOSE, () => this.close()),
      ),
      this.count,
      h("div", { class: "fields" }, this.name, this.save, this.forget),
      this.saved,
      h(
        "div",
        { class: "shapes", role: "group", "aria-label": "Drags on the map draw a" },
        "Draw on the map",
        this.shapes.box,
        this.shapes.lasso,
      ),
      this.all,
      this.list,
      this.more,
      this.copies,
      h("div", { class: "fields" }, paste, textButton("Pin", add)),
      h("div", { class: "fields" }, this.undo, this.clear),
    );
    this.panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      // The selection stays.
      event.stopPropagation();
      event.preventDefault();
      this.close();
    });
  }

  toggle(): void {
    if (this.panel.hidden) this.open();
    else if (this.panel.contains(document.activeElement)) this.close();
    else this.heading.focus({ preventScroll: true });
  }

  open(): void {
    this.setOpen(true);
    this.heading.focus({ preventScroll: true });
  }

  show(view: PinView): void {
    this.view = view;
    const hadFocus = this.panel.contains(document.activeElement);
    const { set, onLayer, followed, layer, saved } = view;
    const some = set.members.length > 0;
    const others = set.members.some((member) => member.layer !== layer);
    const parts = [
      counted(set.members.length, "feature"),
      ...(others ? [`${onLayer.toLocaleString("en")} of this layer`] : []),
      ...(followed > 0 ? [`${followed.toLocaleString("en")} followed to it`] : []),
    ];
    const text = parts.join(" · ");
    this.count.textContent = !some ? EMPTY : view.tooLong ? `${text}. ${TOO_LONG}` : text;
    if (this.name.value !== set.name && document.activeElement !== this.name) this.name.value = set.name;
    const stored = saved.includes(set.name);
    this.name.parentElement!.hidden = !some;
    this.save.hidden = set.name === "";
    this.forget.hidden = !stored;
    this.saved.hidden = saved.length === 0;
    const choose = { value: "", name: "Saved sets" };
    const options = [choose, ...saved.map((name) => ({ value: name, name }))];
    setOptions(this.saved, options, stored ? set.name : "");
    this.all.hidden = view.offer === null;
    if (view.offer !== null) this.all.textContent = view.offer;
    this.copies.hidden = !some;
    this.undo.hidden = !view.undoable;
    this.clear.hidden = !some;
    if (this.panel.hidden) return;
    this.showRows();
    // Not lost with a control that is hidden now.
    const hasFocus =
      this.panel.contains(document.activeElement) && !document.activeElement!.closest("[hidden]");
    if (hadFocus && !hasFocus) this.heading.focus({ preventScroll: true });
  }

  showDrawing(drawing: Drawing | null): void {
    for (const [shape, button] of Object.entries(this.shapes))
      button.setAttribute("aria-pressed", String(shape === drawing));
  }

  private shape(drawing: Drawing, name: string): HTMLElement {
    return textButton(name, () => {
      const pressed = this.shapes[drawing].ariaPressed === "true";
      this.events.onDrawing(pressed ? null : drawing);
    });
  }

  private close(): void {
    const hadFocus = this.panel.contains(document.activeElement);
    this.setOpen(false);
    if (hadFocus) byId("map").focus();
  }

  private setOpen(open: boolean): void {
    this.panel.hidden = !open;
    // Without the panel nothing would say why the map does not turn.
    if (!open) this.events.onDrawing(null);
    this.button.setAttribute("aria-expanded", String(open));
    document.body.classList.toggle("has-pins", open);
    if (open) this.showRows();
  }

  private showAll(): void {
    const next = this.limit;
    this.limit = Infinity;
    this.showRows();
    this.list.children[next]?.querySelector("button")?.focus({ preventScroll: true });
  }

  private showRows(): void {
    const { view } = this;
    if (view === null) return;
    const { members } = view.set;
    if (members.length <= LISTED) this.limit = LISTED;
    // The focus stays where it is in the list: on the row, or on the one that took its place.
    const rows = [...this.list.children];
    const focused = rows.findIndex((row) => row.contains(document.activeElement));
    const control = focused < 0 ? -1 : [...rows[focused]!.children].indexOf(document.activeElement!);
    this.list.replaceChildren(
      ...members.slice(0, this.limit).map((member) => this.row(view.rowOf(member), view.layer)),
    );
    this.more.textContent = `Show all ${members.length.toLocaleString("en")}`;
    this.more.hidden = members.length <= this.limit;
    if (focused < 0) return;
    const row = this.list.children[Math.min(focused, this.list.children.length - 1)];
    const target = (row?.children[control] as HTMLElement | undefined) ?? this.heading;
    target.focus({ preventScroll: true });
  }

  private row(row: Row, shown: number): HTMLElement {
    const { events } = this;
    const { layer, index, label, node } = row;
    const where = layer === shown ? `#${index}` : `layer ${layer}, #${index}`;
    return h(
      "li",
      { class: "pinned" },
      h(
        "button",
        { onclick: () => events.onWalk(row), ...pointing(node, events.onPreview) },
        labelCell(label),
        h("span", { class: "index" }, where),
      ),
      iconButton(`Unpin ${where}`, CLOSE, () => events.onRemove(row)),
    );
  }
}
