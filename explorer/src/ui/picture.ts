/** A picture of the view, with the labels and the legend that the page shows as elements over the canvas. */
import type { Legend } from "../colors";
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";

/** CSS pixels. */
const MARGIN = 16;
const PADDING = 12;
const LINE = 20;
const LEGEND_WIDTH = 240;
/** A part that panels leave free is drawn by itself, unless it is smaller. */
const SMALLEST = 240;

export interface Caption {
  title: string;
  /** What the colours show. */
  coloring: string;
  legend: Legend;
}

/** A map, and the element with its canvas, labels and title. */
export interface Pictured {
  scene: MapScene;
  element: HTMLElement;
}

/**
 * Of the part of the maps that panels leave free; `scale` pixels to a CSS pixel, or as many as can be drawn.
 * `drawOver` draws in CSS pixels of the page.
 */
export function drawPicture(
  maps: Pictured[],
  caption: Caption,
  scale: number,
  drawOver: (context: CanvasRenderingContext2D) => void,
): HTMLCanvasElement {
  const boxes = picturedBoxes(maps);
  const { left, top, bottom } = around(boxes);
  const fine = finest(maps, scale);
  const canvas = Object.assign(document.createElement("canvas"), pictureSize(maps, scale));
  const context = canvas.getContext("2d")!;
  context.fillStyle = pageColor("--map");
  context.fillRect(0, 0, canvas.width, canvas.height);
  // From here on in CSS pixels of the page.
  context.setTransform(fine, 0, 0, fine, -left * fine, -top * fine);
  maps.forEach(({ scene, element }, at) => {
    const { x, y, width, height } = boxes[at]!;
    const from = element.getBoundingClientRect();
    context.save();
    context.setTransform(1, 0, 0, 1, (x - left) * fine, (y - top) * fine);
    scene.drawOnto(context, new DOMRect(x - from.x, y - from.y, width, height), fine);
    context.restore();
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    drawLabels(context, element);
    context.restore();
    if (maps.length === 1) return;
    context.strokeStyle = pageColor("--line");
    context.lineWidth = 1;
    context.strokeRect(x, y, width, height);
    drawTitle(context, element, x + MARGIN, y + MARGIN + 4);
  });
  drawOver(context);
  drawCaption(context, caption, left + MARGIN, bottom - MARGIN);
  return canvas;
}

/** Its size in pixels. */
export function pictureSize(maps: Pictured[], scale: number): { width: number; height: number } {
  const { width, height } = around(picturedBoxes(maps));
  const fine = finest(maps, scale);
  return { width: Math.floor(width * fine), height: Math.floor(height * fine) };
}

function finest(maps: Pictured[], scale: number): number {
  return Math.min(scale, ...maps.map(({ scene }) => scene.finest));
}

/** On the page. */
function picturedBoxes(maps: Pictured[]): DOMRect[] {
  const free = maps.map(({ scene, element }) => {
    const { x, y } = element.getBoundingClientRect();
    const { left, top, right, bottom } = scene.camera.freeBox;
    return new DOMRect(x + left, y + top, right - left, bottom - top);
  });
  const large = free.every(({ width, height }) => width >= SMALLEST && height >= SMALLEST);
  return large ? free : maps.map(({ element }) => element.getBoundingClientRect());
}

function around(boxes: DOMRect[]): DOMRect {
  const left = Math.min(...boxes.map((box) => box.left));
  const top = Math.min(...boxes.map((box) => box.top));
  const right = Math.max(...boxes.map((box) => box.right));
  const bottom = Math.max(...boxes.map((box) => box.bottom));
  return new DOMRect(left, top, right - left, bottom - top);
}

function drawTitle(context: CanvasRenderingContext2D, element: HTMLElement, x: number, y: number): void {
  const { family, text } = styles();
  context.font = `600 13px ${family}`;
  context.fillStyle = text;
  context.textBaseline = "middle";
  context.fillText(element.querySelector(".half-title")!.textContent ?? "", x, y);
}

function drawLabels(context: CanvasRenderingContext2D, element: HTMLElement): void {
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = pageColor("--map");
  context.lineWidth = 3;
  for (const label of element.querySelectorAll(".scene-label:not(.leaving, [hidden])")) {
    const { x, y, height } = label.getBoundingClientRect();
    const style = getComputedStyle(label);
    const text = label.textContent ?? "";
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.globalAlpha = Number(style.opacity);
    context.fillStyle = style.color;
    context.strokeText(text, x, y + height / 2);
    context.fillText(text, x, y + height / 2);
  }
  context.globalAlpha = 1;
}

/** `left` and `bottom`: its lower left corner. */
function drawCaption(
  context: CanvasRenderingContext2D,
  { title, coloring, legend }: Caption,
  left: number,
  bottom: number,
): void {
  const rows = legend.kind === "groups" ? legend.groups.length : legend.missing === null ? 2 : 3;
  const height = 2 * PADDING + (rows + 2) * LINE;
  const { family, soft, text } = styles();
  const top = bottom - height;
  context.fillStyle = pageColor("--surface");
  context.beginPath();
  context.roundRect(left, top, LEGEND_WIDTH, height, 10);
  context.fill();
  const width = LEGEND_WIDTH - 2 * PADDING;
  const x = left + PADDING;
  let y = top + PADDING + LINE / 2;
  const write = (
    words: string,
    from: number,
    color: string,
    font: string,
    align: CanvasTextAlign = "left",
  ) => {
    context.fillStyle = color;
    context.font = `${font} ${family}`;
    context.textAlign = align;
    context.fillText(words, from, y, width);
  };
  write(display(title, 60), x, text, "600 13px");
  y += LINE;
  write(legend.kind === "ramp" ? legend.title : coloring, x, soft, "400 12px");
  y += LINE;
  if (legend.kind === "ramp") {
    drawBar(context, legend.gradient, { x, y: y - 4, width, height: 8 });
    y += LINE;
    const aligns = ["left", "center", "right"] as const;
    aligns.forEach((align, at) => {
      write(legend.ticks[at]!, x + (at / 2) * width, soft, "400 12px", align);
    });
    y += LINE;
  }
  const groups = legend.kind === "groups" ? legend.groups : legend.missing === null ? [] : [legend.missing];
  for (const { color, name } of groups) {
    drawBar(context, colorsOf(color), { x, y: y - 5, width: 10, height: 10 });
    write(display(name, 40), x + 18, text, "400 13px");
    y += LINE;
  }
  context.textAlign = "left";
}

function drawBar(
  context: CanvasRenderingContext2D,
  colors: string[],
  { x, y, width, height }: { x: number; y: number; width: number; height: number },
): void {
  const gradient = context.createLinearGradient(x, 0, x + width, 0);
  colors.forEach((color, at) => {
    gradient.addColorStop(colors.length === 1 ? 0 : at / (colors.length - 1), color);
  });
  context.fillStyle = gradient;
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(width, height) / 2);
  context.fill();
}

/** The colours in a CSS colour or image. */
function colorsOf(css: string): string[] {
  return css.match(/#[\da-f]{3,8}|(?:rgb|hsl)a?\([^)]*\)/gi) ?? [css];
}

function styles(): { family: string; text: string; soft: string } {
  return {
    family: getComputedStyle(document.body).fontFamily,
    text: pageColor("--text"),
    soft: pageColor("--soft"),
  };
}

function pageColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
