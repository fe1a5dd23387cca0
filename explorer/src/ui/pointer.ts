/** Pointer on the map: hovering, clicking and double-clicking points, as opposed to turning the map. */

export interface PointerEvents {
  /** The node within `reach` CSS pixels of (x, y) on the canvas, or null. */
  nodeAt(x: number, y: number, reach: number): number | null;
  /** The region whose name is there, or null. */
  regionAt(x: number, y: number): number | null;
  onRegion(region: number): void;
  onHover(node: number | null): void;
  onClick(node: number | null): void;
  onDoubleClick(node: number): void;
}

/** CSS pixels that a pointer may move during a click. */
export const CLICK_SLACK = 5;
const REACH = { mouse: 5, pen: 8, touch: 18 } as const;

/** How far from a point, in CSS pixels, a pointer still hits it. */
export function reachOf({ pointerType }: PointerEvent): number {
  return REACH[pointerType as keyof typeof REACH] ?? REACH.mouse;
}

export function watchPointer(canvas: HTMLCanvasElement, events: PointerEvents): void {
  let down: { x: number; y: number } | null = null;
  let hoverAt: PointerEvent | null = null;
  const regionAt = (event: MouseEvent) => events.regionAt(event.offsetX, event.offsetY);
  const nodeAt = (event: PointerEvent | MouseEvent) =>
    regionAt(event) === null
      ? events.nodeAt(event.offsetX, event.offsetY, reachOf(event as PointerEvent))
      : null;

  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons !== 0 || event.pointerType === "touch") return;
    // Moves arrive more often than frames; one look-up per frame is enough.
    if (hoverAt === null)
      requestAnimationFrame(() => {
        if (hoverAt) {
          canvas.classList.toggle("on-name", regionAt(hoverAt) !== null);
          events.onHover(nodeAt(hoverAt));
        }
        hoverAt = null;
      });
    hoverAt = event;
  });
  canvas.addEventListener("pointerleave", () => {
    hoverAt = null;
    events.onHover(null);
  });
  canvas.addEventListener("pointerdown", (event) => {
    down = event.isPrimary && event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
    events.onHover(null);
  });
  canvas.addEventListener("pointerup", (event) => {
    const still = down && Math.hypot(event.clientX - down.x, event.clientY - down.y) <= CLICK_SLACK;
    down = null;
    if (!still) return;
    const region = regionAt(event);
    if (region !== null) events.onRegion(region);
    else events.onClick(nodeAt(event));
  });
  canvas.addEventListener("dblclick", (event) => {
    const node = nodeAt(event);
    if (node !== null) events.onDoubleClick(node);
  });
}
