/** A panel to read beside the map: the selected feature, the chosen region, a comparison. */
import { byId, h } from "./dom";

export class ReadingPanel {
  protected readonly panel: HTMLElement;
  /** What the heading names. */
  protected readonly kind = h("span", { class: "index" });
  protected readonly header = h("header", {}, this.kind);
  protected readonly heading = h("h2", { tabindex: "-1", dir: "auto" });

  constructor(id: string) {
    this.panel = byId(id);
    this.panel.append(this.header, this.heading);
  }

  get hasFocus(): boolean {
    return this.panel.contains(document.activeElement);
  }

  /** Shows it from the top. `hadFocus`: before it was filled; the row that had the focus may lead here, and be gone. */
  protected open(hadFocus: boolean): void {
    this.panel.hidden = false;
    this.panel.scrollTop = 0;
    if (hadFocus && !this.hasFocus) this.focus();
  }

  hide(): void {
    this.panel.hidden = true;
  }

  focus(): void {
    this.heading.focus({ preventScroll: true });
  }
}
