/** A picture of the view, with the labels and the legend that the page shows as elements over the canvas. */
import type { Legend } from "../colors";
import { display } from "../data/text";
import type { MapScene } from "../scene/mapScene";
import type { Box } from "../scene/placement";
import { byId } from "./dom";

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

/** Of the part of the map that panels leave free; `scale` pixels to a CSS pixel, or as many as can be drawn. */
export function drawPicture(scene: MapScene, caption: Caption, scale: number): HTMLCanvasElement {
  const box = pictured(scene);
  const fine = Math.min(scale, scene.finest);
  const canvas = document.createElement("canvas");
  canvas.width = Math.floor((box.right - box.left) * fine);
  canvas.height = Math.floor((box.bottom - box.top) * fine);
  const context = canvas.getContext("2d")!;
  scene.drawOnto(context, box, fine);
  context.scale(fine, fine);
  drawLabels(context, box);
  drawCaption(context, caption, box.bottom - box.top);
  return canvas;
}

/** Its size in pixels. */
export function pictureSize(scene: MapScene, scale: number): { width: number; height: number } {
  const { left, top, right, bottom } = pictured(scene);
  const fine = Math.min(scale, scene.finest);
  return { width: Math.floor((right - left) * fine), height: Math.floor((bottom - top) * fine) };
}

function pictured(scene: MapScene): Box {
  const { left, top, right, bottom } = scene.camera.freeBox;
  if (right - left >= SMALLEST && bottom - top >= SMALLEST) return { left, top, right, bottom };
  return { left: 0, top: 0, right: byId("map").clientWidth, bottom: byId("map").clientHeight };
}

function drawLabels(context: CanvasRenderingContext2D, { left, top }: Box): void {
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.strokeStyle = pageColor("--map");
  context.lineWidth = 3;
  for (const label of document.querySelectorAll("#scene-labels .scene-label:not(.leaving)")) {
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
