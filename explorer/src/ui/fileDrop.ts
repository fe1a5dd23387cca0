/** The visitor's own files and lists: dropped onto the page, pasted, or chosen with a button. */
import { byId } from "./dom";

export interface FileEvents {
  onFile(file: File): void;
  onText(text: string): void;
}

export function acceptFiles({ onFile, onText }: FileEvents): void {
  const overlay = byId("drop");
  const chooser = byId<HTMLInputElement>("file");
  const isAccepted = (event: DragEvent) =>
    ["Files", "text/plain"].some((type) => event.dataTransfer?.types.includes(type));
  const accept = (data: DataTransfer | null) => {
    const file = data?.files[0];
    const text = data?.getData("text/plain") ?? "";
    if (file) onFile(file);
    else if (text.trim() !== "") onText(text);
  };
  // Fields take text themselves, but for the one that lists of any length are pasted into.
  const isField = (event: Event) =>
    (event.target as Element).closest("input:not(#pin-text), textarea") !== null ||
    document.querySelector("dialog[open]") !== null;

  window.addEventListener("dragover", (event) => {
    if (!isAccepted(event) || isField(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) overlay.hidden = true;
  });
  window.addEventListener("drop", (event) => {
    overlay.hidden = true;
    if (isField(event)) return;
    event.preventDefault();
    accept(event.dataTransfer);
  });
  window.addEventListener("paste", (event) => {
    if (isField(event)) return;
    event.preventDefault();
    accept(event.clipboardData);
  });
  byId("open").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    const file = chooser.files?.[0];
    if (file) onFile(file);
    chooser.value = "";
  });
}
