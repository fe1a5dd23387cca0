/** Text for the clipboard, and the buttons that copy features. */
import { h } from "./dom";

export type Format = "indices" | "json" | "csv";

const FORMATS: [Format, string, string][] = [
  ["indices", "Indices", "A list of indices; of several layers, by layer"],
  ["json", "JSON", "Model, layer, index, label, and where each is on Neuronpedia"],
  ["csv", "CSV", "A table with labels"],
];

/** Returns what became of it, for the visitor; `what` names the text. */
export async function copyText(text: string, what: string): Promise<string> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Browsers offer that to secure pages only (https, localhost).
    if (!copiedThroughField(text)) return "This browser does not let the page copy.";
  }
  return `Copied ${what}.`;
}

/** `onCopy` returns what became of it. */
export function copyButtons(onCopy: (format: Format) => Promise<string>): HTMLElement {
  const outcome = h("span", { role: "status" });
  const buttons = FORMATS.map(([format, name, title]) => {
    const onclick = async () => {
      outcome.textContent = await onCopy(format);
    };
    return h("button", { class: "text", title, onclick }, name);
  });
  return h(
    "div",
    { class: "copies", role: "group", "aria-label": "Copy as" },
    "Copy as",
    ...buttons,
    outcome,
  );
}

function copiedThroughField(text: string): boolean {
  const focused = document.activeElement;
  const field = h("textarea", { class: "visually-hidden", "aria-hidden": "true" });
  field.value = text;
  // An open dialog has the focus to itself.
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
  return copied;
}
