/** Where the selected feature comes from and goes on: a list of layers, each of which leads there. */
import type { FeatureId, Stop } from "../data/tracks";
import { h, labelCell, setChildren } from "./dom";

/** Rows shown at first, around the selected feature. */
const LISTED = 9;

export class Journey {
  private readonly note = h("p", { class: "quiet" });
  private readonly list = h("ol", { class: "stops" });
  private readonly more = h("button", { class: "more", onclick: () => this.showAll() }, "Show all");
  readonly element = h(
    "nav",
    { "aria-label": "Through the layers" },
    h("h3", {}, "Through the layers", h("span", { class: "unit" }, "cosine")),
    this.note,
    this.list,
    this.more,
  );
  private stops: Stop[] = [];
  private layer = 0;

  constructor(private readonly onLeave: (feature: FeatureId) => void) {
    this.hide();
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** `layer`: of the map that is shown. */
  show(stops: Stop[], layer: number, note: string | null): void {
    this.stops = stops;
    this.layer = layer;
    this.element.hidden = false;
    this.note.textContent = note;
    this.note.hidden = note === null;
    this.more.textContent = `Show all ${stops.length}`;
    this.more.hidden = stops.length <= LISTED;
    const here = Math.max(
      0,
      stops.findIndex((stop) => stop.layer === layer),
    );
    const first = Math.max(0, Math.min(here - (LISTED - 1) / 2, stops.length - LISTED));
    this.showRows(stops.slice(first, first + LISTED));
  }

  private showAll(): void {
    this.more.hidden = true;
    this.showRows(this.stops);
    this.list.querySelector("button")!.focus({ preventScroll: true });
  }

  private showRows(stops: Stop[]): void {
    setChildren(
      this.list,
      stops.map((stop) => this.row(stop)),
    );
  }

  private row(stop: Stop): HTMLElement {
    const { layer, index, label, cosine, onTrack, mutual } = stop;
    const here = onTrack && layer === this.layer;
    const name = labelCell(label || null, label === null ? `no label (#${index})` : `#${index}`);
    const beyond = mutual ? "mutual, but not similar enough" : "nearest, not mutual";
    if (!onTrack) name.append(h("small", {}, beyond));
    return h(
      "li",
      { "data-key": String(layer), class: onTrack ? "on-track" : "beyond" },
      h(
        "button",
        { onclick: () => this.onLeave(stop), ...(here && { "aria-current": "true" }) },
        h("span", { class: "layer" }, h("span", { class: "visually-hidden" }, "Layer "), String(layer)),
        name,
        h("span", { class: "value" }, cosine === null ? "" : cosine.toFixed(2)),
      ),
    );
  }
}
