/** Shift and the pointer on the map pin features: a click one, a drag all in a box; with Ctrl or Cmd, no longer. */
import type { Box } from "../scene/placement";
import { byId, h } from "./dom";

export interface BoxEvents {
  onStart(): void;
  onPoint(x: number, y: number): void;
  onBox(box: Box, remove: boolean): void;
}

/** CSS pixels that a pointer may move during a click. */
const CLICK_SLACK = 5;

export function watchBox(canvas: HTMLCanvasElement, events: BoxEvents): void {
  const frame = h("div", { class: "box", "aria-hidden": "true" });
  let start: { x: number; y: number } | null = null;
  const boxTo = ({ offsetX, offsetY }: MouseEvent): Box => ({
    left: Math.min(start!.x, offsetX),
    top: Math.min(start!.y, offsetY),
    right: Math.max(start!.x, offsetX),
    bottom: Math.max(start!.y, offsetY),
  });
  const stop = () => {
    start = null;
    frame.remove();
  };
  // Before the camera's listeners, to which this is a pan.
  const capture = { capture: true };

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (!event.shiftKey || event.button !== 0 || !event.isPrimary || event.pointerType === "touch") return;
      event.stopImmediatePropagation();
      canvas.setPointerCapture(event.pointerId);
      start = { x: event.offsetX, y: event.offsetY };
      events.onStart();
    },
    capture,
  );
  canvas.addEventListener(
    "pointermove",
    (event) => {
      if (start === null) return;
      event.stopImmediatePropagation();
      const { left, top, right, bottom } = boxTo(event);
      Object.assign(frame.style, {
        left: `${left}px`,
        top: `${top}px`,
        width: `${right - left}px`,
        height: `${bottom - top}px`,
      });
      if (!frame.isConnected) canvas.after(frame);
    },
    capture,
  );
  canvas.addEventListener(
    "pointerup",
    (event) => {
      if (start === null) return;
      event.stopImmediatePropagation();
      const box = boxTo(event);
      const { x, y } = start;
      stop();
      if (Math.hypot(box.right - box.left, box.bottom - box.top) <= CLICK_SLACK) events.onPoint(x, y);
      else events.onBox(box, event.ctrlKey || event.metaKey);
    },
    capture,
  );
  canvas.addEventListener("pointercancel", stop, capture);
  canvas.addEventListener(
    "dblclick",
    (event) => {
      if (event.shiftKey) event.stopImmediatePropagation();
    },
    capture,
  );
}

/** Shift and a click on a row of a list, or Shift and Enter on a result of the search, pin its feature. */
export function watchRows(onRow: (node: number, row: Element) => void): void {
  const pin = (event: Event, row: Element | null | undefined) => {
    const { node } = (row as HTMLElement | null | undefined)?.dataset ?? {};
    if (node === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    onRow(Number(node), row!);
  };
  document.addEventListener(
    "click",
    (event) => event.shiftKey && pin(event, (event.target as Element).closest("[data-node]")),
    true,
  );
  byId("search").addEventListener(
    "keydown",
    (event) => {
      if (event.key !== "Enter" || !event.shiftKey) return;
      const results = byId("results");
      pin(event, results.querySelector("[aria-selected=true]") ?? results.firstElementChild);
    },
    true,
  );
}
