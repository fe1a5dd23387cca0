/** What the colours mean. */
import type { Legend } from "../colors";
import { display } from "../data/text";
import type { Brush } from "./brush";
import { byId, h, setChildren } from "./dom";

export function showLegend(legend: Legend, brush: Brush): void {
  setChildren(byId("legend"), legend.kind === "ramp" ? ramp(legend, brush) : [groups(legend)]);
}

function ramp(legend: Extract<Legend, { kind: "ramp" }>, brush: Brush): HTMLElement[] {
  const title = h("p", { class: "quiet" }, legend.title);
  if (new Set(legend.ticks).size === 1)
    return [title, h("p", { class: "ticks" }, `${legend.ticks[0]} for all`)];
  const bar = h("div", {
    class: "ramp",
    role: "img",
    "aria-label": `${legend.title}: from ${legend.ticks[0]} to ${legend.ticks.at(-1)}`,
  });
  bar.style.backgroundImage = `linear-gradient(to right, ${legend.gradient.join(", ")})`;
  const ticks = h(
    "div",
    { class: "ticks", "aria-hidden": "true" },
    ...legend.ticks.map((tick) => h("span", {}, tick)),
  );
  brush.setHistogram(legend.histogram, bar);
  return [
    title,
    brush.element,
    ticks,
    ...(legend.missing === null ? [] : [swatch(legend.missing.color, legend.missing.name)]),
  ];
}

function groups(legend: Extract<Legend, { kind: "groups" }>): HTMLElement {
  const rows = legend.groups.map(({ color, name, count }) =>
    h("li", {}, swatch(color, display(name, 40)), h("span", { class: "index" }, count.toLocaleString("en"))),
  );
  return h("ul", { class: "groups" }, ...rows);
}

function swatch(color: string, name: string): HTMLElement {
  const dot = h("span", { class: "dot", "aria-hidden": "true" });
  dot.style.background = color;
  return h("span", { class: "swatch" }, dot, h("span", { dir: "auto" }, name));
}
