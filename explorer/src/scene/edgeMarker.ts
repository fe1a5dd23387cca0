/** An arrow and a label at the edge of the picture: the way to a feature that is outside it. */
import { h, icon } from "../ui/dom";
import type { Box } from "./placement";

/** CSS pixels between the marker and the edge. */
const MARGIN = 14;

export class EdgeMarker {
  private readonly arrow = icon("M5 12h14M13 6l6 6-6 6");
  private readonly text = h("span", { dir: "auto" });
  private readonly element = h("div", { class: "edge-marker", "aria-hidden": "true" }, this.arrow, this.text);

  constructor(stage: HTMLElement) {
    this.element.hidden = true;
    stage.append(this.element);
  }

  hide(): void {
    this.element.hidden = true;
  }

  /** `direction`: from the middle of `free` on the screen, of length 1. */
  show(text: string, direction: { x: number; y: number }, free: Box): void {
    this.element.hidden = false;
    if (this.text.textContent !== text) this.text.textContent = text;
    this.arrow.style.transform = `rotate(${Math.atan2(direction.y, direction.x)}rad)`;
    const reachX = Math.max(0, (free.right - free.left - this.element.offsetWidth) / 2 - MARGIN);
    const reachY = Math.max(0, (free.bottom - free.top - this.element.offsetHeight) / 2 - MARGIN);
    const reach = Math.min(
      reachX / Math.max(Math.abs(direction.x), 1e-9),
      reachY / Math.max(Math.abs(direction.y), 1e-9),
    );
    const x = (free.left + free.right) / 2 + reach * direction.x;
    const y = (free.top + free.bottom) / 2 + reach * direction.y;
    this.element.style.transform = `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px) translate(-50%, -50%)`;
  }
}
