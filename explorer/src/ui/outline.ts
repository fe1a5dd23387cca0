/**
 * Outlines drawn on the map pin what is inside: Shift and a drag draw a box, with Alt a lasso. Without Shift, and with a
 * finger, drags draw the shape that is chosen in the panel of the pinned features. A click pins one feature. With Ctrl or
 * Cmd, an outline unpins.
 */
import type { Drawing } from "../page/state";
import type { Outline } from "../scene/pick";
import { byId, svg } from "./dom";
import { CLICK_SLACK, reachOf } from "./pointer";

export interface OutlineEvents {
  /** The chosen shape. */
  drawing(): Drawing | null;
  onStart(): void;
  onPoint(x: number, y: number, reach: number): void;
  onOutline(outline: Outline, remove: boolean): void;
}

/** CSS pixels between the corners of a lasso. */
const STEP = 3;

export function watchOutline(canvas: HTMLCanvasElement, events: OutlineEvents): void {
  const line = svg("polygon", {});
  const drawn = svg("svg", { class: "outline", "aria-hidden": "true" }, line);
  let shape: Drawing = "box";
  /** The pointer that draws, and where it has been; null unless one does. */
  let pointer: number | null = null;
  let path: [number, number][] = [];
  const shapeOf = (event: MouseEvent): Drawing | null => {
    if (!event.shiftKey) return events.drawing();
    return event.altKey ? "lasso" : (events.drawing() ?? "box");
  };
  const outlineOf = (): Outline => {
    const [[left, top], [right, bottom]] = [path[0]!, path.at(-1)!];
    if (shape === "lasso") return path;
    return [
      [left, top],
      [right, top],
      [right, bottom],
      [left, bottom],
    ];
  };
  const stop = () => {
    pointer = null;
    drawn.remove();
  };
  // Before the camera's listeners, to which a drag with Shift is a pan. Other fingers do nothing meanwhile.
  const watch = (type: "pointermove" | "pointerup" | "pointercancel", act: (event: PointerEvent) => void) =>
    canvas.addEventListener(
      type,
      (event) => {
        if (pointer === null) return;
        event.stopImmediatePropagation();
        if (event.pointerId === pointer) act(event);
      },
      { capture: true },
    );

  canvas.addEventListener(
    "pointerdown",
    (event) => {
      if (pointer !== null) return event.stopImmediatePropagation();
      const chosen = shapeOf(event);
      if (chosen === null || event.button !== 0 || !event.isPrimary) return;
      event.stopImmediatePropagation();
      canvas.setPointerCapture(event.pointerId);
      shape = chosen;
      pointer = event.pointerId;
      path = [[event.offsetX, event.offsetY]];
      events.onStart();
    },
    { capture: true },
  );
  watch("pointermove", (event) => {
    const [x, y] = path.at(-1)!;
    if (Math.hypot(event.offsetX - x, event.offsetY - y) < STEP) return;
    path.push([event.offsetX, event.offsetY]);
    line.setAttribute("points", outlineOf().join(" "));
    if (!drawn.isConnected) canvas.after(drawn);
  });
  watch("pointerup", (event) => {
    const [x, y] = path[0]!;
    stop();
    path.push([event.offsetX, event.offsetY]);
    if (path.every((at) => Math.hypot(at[0] - x, at[1] - y) <= CLICK_SLACK))
      events.onPoint(x, y, reachOf(event));
    else events.onOutline(outlineOf(), event.ctrlKey || event.metaKey);
  });
  watch("pointercancel", stop);
  canvas.addEventListener(
    "dblclick",
    (event) => shapeOf(event) !== null && event.stopImmediatePropagation(),
    {
      capture: true,
    },
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
