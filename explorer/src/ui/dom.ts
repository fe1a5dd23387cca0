/** Small helpers for the page's elements. Text always goes in as text, never as markup. */

import { display } from "../data/text";

type Child = Node | string | null;

interface Properties {
  class?: string;
  title?: string;
  dir?: string;
  id?: string;
  role?: string;
  href?: string;
  target?: string;
  rel?: string;
  type?: string;
  tabIndex?: number;
  onclick?: (event: MouseEvent) => void;
  onpointerenter?: () => void;
  onpointerleave?: () => void;
  onfocus?: () => void;
  onblur?: () => void;
  placeholder?: string;
  autocomplete?: string;
  "data-node"?: string;
  "aria-current"?: string;
  "aria-expanded"?: string;
  "aria-label"?: string;
  "aria-level"?: string;
  "aria-posinset"?: string;
  "aria-pressed"?: string;
  "aria-selected"?: string;
  "aria-setsize"?: string;
  "aria-hidden"?: string;
}

/** A new element with its attributes, handlers and children; null children are left out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value as EventListener);
    else if (name === "tabIndex") element.tabIndex = value as number;
    else element.setAttribute(name, String(value));
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

export const CLOSE = "m7 7 10 10M17 7 7 17";
export const PIN = "M9 4h6l-1 6 3 4H7l3-4zM12 14v6";
export const FLY = "M12 3v4M12 17v4M3 12h4M17 12h4M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6";

export function iconButton(name: string, path: string, onclick: () => void): HTMLButtonElement {
  return h("button", { type: "button", class: "icon", "aria-label": name, title: name, onclick }, icon(path));
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

/** Replaces the children of `parent`. One that stays keeps the focus. */
export function setChildren(parent: Element, children: Element[]): void {
  const focused = document.activeElement;
  parent.replaceChildren(...children);
  if (focused instanceof HTMLElement && parent.contains(focused)) focused.focus({ preventScroll: true });
}
