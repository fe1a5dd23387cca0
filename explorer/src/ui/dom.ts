/** Small helpers for the page's elements. Text always goes in as text, never as markup. */

import { display } from "../data/text";

type Child = Node | string | null;

/** Attributes as HTML has them, and handlers of events. */
type Properties = Record<string, string | (() => void)>;

/** A new element with its attributes, handlers and children; null children are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "string") element.setAttribute(name, value);
    else element.addEventListener(name.slice(2), value);
  }
  element.append(...children.filter((child): child is Node | string => child !== null));
  return element;
}

/** A new element of a drawing. */
export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Record<string, string>,
  ...children: Node[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** The page's element of that id. Throws if index.html lost it. */
export function byId<T extends HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`index.html has no element #${id}`);
  return element as T;
}

/** A line icon in a 24 by 24 box. */
export function icon(path: string): SVGSVGElement {
  return svg("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" }, svg("path", { d: path }));
}

/** The paths of a histogram's bars, each 1 wide, in a picture of height 1. */
export function bars(counts: number[]): string[] {
  const highest = Math.max(...counts);
  // The square root keeps the rare visible beside the frequent.
  return counts.map((count, at) => `M${at} 1V${(1 - Math.sqrt(count / highest)).toFixed(3)}h.8V1z`);
}

export const CLOSE = "m7 7 10 10M17 7 7 17";
export const PIN = "M9 4h6l-1 6 3 4H7l3-4zM12 14v6";
export const FLY = "M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6";

export function iconButton(name: string, path: string, onclick: () => void): HTMLButtonElement {
  return h("button", { class: "icon", "aria-label": name, title: name, onclick }, icon(path));
}

export function textButton(name: string, onclick: () => void): HTMLButtonElement {
  return h("button", { class: "text", onclick }, name);
}

/** A label in a list; without one, `instead`. */
export function labelCell(label: string | null, instead = "no label"): HTMLElement {
  const kind = label === null ? "label none" : "label";
  return h("span", { class: kind, dir: "auto" }, display(label ?? instead, 120));
}

/** A row of a table of facts. */
export function fact(name: string, value: string): HTMLElement {
  return h("div", {}, h("dt", {}, name), h("dd", { dir: "auto" }, display(value, 80)));
}

/** Handlers of an element that points at a node of the map while the pointer or the focus is on it. */
export function pointing(node: number | null, onPreview: (node: number | null) => void): Properties {
  const preview = () => onPreview(node);
  const leave = () => onPreview(null);
  return { onpointerenter: preview, onpointerleave: leave, onfocus: preview, onblur: leave };
}

/** Leaves the selector alone if it has these options: it may be open. */
export function setOptions(
  select: HTMLSelectElement,
  options: { value: string; name: string }[],
  chosen: string,
): void {
  const same =
    select.length === options.length &&
    options.every(
      ({ value, name }, at) =>
        select.options[at]!.value === value && select.options[at]!.text === display(name, 80),
    );
  if (!same)
    select.replaceChildren(...options.map(({ value, name }) => new Option(display(name, 80), value)));
  select.value = chosen;
}

/** Replaces the children of `parent`. One that stays keeps the focus; else one with the same `data-key` gets it. */
export function setChildren(parent: Element, children: HTMLElement[]): void {
  const focused = document.activeElement as HTMLElement | null;
  const hadFocus = parent.contains(focused);
  const key = focused?.closest<HTMLElement>("[data-key]")?.dataset.key ?? "";
  parent.replaceChildren(...children);
  if (!hadFocus) return;
  const row = children.find(({ dataset }) => dataset.key === key);
  const target = parent.contains(focused) ? focused : row?.querySelector("button");
  target?.focus({ preventScroll: true });
}
