/** A picture of the view, with the labels and the legend that the page shows as elements over the canvas. */
import type { Legend } from "../colors";
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import type { Box } from "../scene/placement";

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
  const { left, top, right, bottom } = around(boxes);
  const fine = finest(maps, scale);
  const canvas = document.createElement("canvas");
  canvas.width = Math.floor((right - left) * fine);
  canvas.height = Math.floor((bottom - top) * fine);
  const context = canvas.getContext("2d")!;
  context.fillStyle = pageColor("--map");
  context.fillRect(0, 0, canvas.width, canvas.height);
  maps.forEach(({ scene, element }, at) => {
    const box = boxes[at]!;
    const from = element.getBoundingClientRect();
    context.setTransform(1, 0, 0, 1, (box.left - left) * fine, (box.top - top) * fine);
    scene.drawOnto(context, shifted(box, -from.left, -from.top), fine);
    context.setTransform(fine, 0, 0, fine, 0, 0);
    context.save();
    context.beginPath();
    context.rect(box.left - left, box.top - top, box.right - box.left, box.bottom - box.top);
    context.clip();
    drawLabels(context, element, { left, top });
    context.restore();
    if (maps.length === 1) return;
    const part = shifted(box, -left, -top);
    context.strokeStyle = pageColor("--line");
    context.lineWidth = 1;
    context.strokeRect(part.left, part.top, part.right - part.left, part.bottom - part.top);
    drawTitle(context, element, part);
  });
  context.translate(-left, -top);
  drawOver(context);
  context.translate(left, top);
  drawCaption(context, caption, bottom - top);
  return canvas;
}

/** Its size in pixels. */
export function pictureSize(maps: Pictured[], scale: number): { width: number; height: number } {
  const { left, top, right, bottom } = around(picturedBoxes(maps));
  const fine = finest(maps, scale);
  return { width: Math.floor((right - left) * fine), height: Math.floor((bottom - top) * fine) };
}

function finest(maps: Pictured[], scale: number): number {
  return Math.min(scale, ...maps.map(({ scene }) => scene.finest));
}

/** On the page. */
function picturedBoxes(maps: Pictured[]): Box[] {
  const free = maps.map(({ scene, element }) => {
    const { left, top } = element.getBoundingClientRect();
    return shifted(scene.camera.freeBox, left, top);
  });
  const large = free.every(
    ({ left, top, right, bottom }) => right - left >= SMALLEST && bottom - top >= SMALLEST,
  );
  return large ? free : maps.map(({ element }) => element.getBoundingClientRect());
}

function around(boxes: Box[]): Box {
  return {
    left: Math.min(...boxes.map(({ left }) => left)),
    top: Math.min(...boxes.map(({ top }) => top)),
    right: Math.max(...boxes.map(({ right }) => right)),
    bottom: Math.max(...boxes.map(({ bottom }) => bottom)),
  };
}

function shifted({ left, top, right, bottom }: Box, x: number, y: number): Box {
  return { left: left + x, top: top + y, right: right + x, bottom: bottom + y };
}

function drawTitle(context: CanvasRenderingContext2D, element: HTMLElement, { left, top }: Box): void {
  const { family, text } = styles();
  context.font = `600 13px ${family}`;
  context.fillStyle = text;
  context.textBaseline = "middle";
  context.fillText(element.querySelector(".half-title")!.textContent ?? "", left + MARGIN, top + MARGIN + 4);
}

function drawLabels(
  context: CanvasRenderingContext2D,
  element: HTMLElement,
  { left, top }: Pick<Box, "left" | "top">,
): void {
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = pageColor("--map");
  context.lineWidth = 3;
  for (const label of element.querySelectorAll(".scene-label:not(.leaving, [hidden])")) {
    const at = label.getBoundingClientRect();
    const style = getComputedStyle(label);
    const text = label.textContent ?? "";
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.globalAlpha = Number(style.opacity);
    context.fillStyle = style.color;
    const [x, y] = [at.left - left, at.top - top + at.height / 2] as const;
    context.strokeText(text, x, y);
    context.fillText(text, x, y);
  }
  context.globalAlpha = 1;
}

function drawCaption(
  context: CanvasRenderingContext2D,
  { title, coloring, legend }: Caption,
  bottom: number,
): void {
  const rows = legend.kind === "groups" ? legend.groups.length : legend.missing === null ? 2 : 3;
  const height = 2 * PADDING + (rows + 2) * LINE;
  const { family, soft, text } = styles();
  const [left, top] = [MARGIN, bottom - MARGIN - height];
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
    legend.ticks.forEach((tick, at) => {
      const share = legend.ticks.length === 1 ? 0 : at / (legend.ticks.length - 1);
      write(
        tick,
        x + share * width,
        soft,
        "400 12px",
        share === 0 ? "left" : share === 1 ? "right" : "center",
      );
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
