/** The visitor's own layer files: dropped onto the page, or chosen with a button. */
import { byId } from "./dom";

export function acceptFiles(onFile: (file: File) => void): void {
  const overlay = byId("drop");
  const chooser = byId<HTMLInputElement>("file");
  const carriesFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;

  window.addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    overlay.hidden = false;
  });
  window.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) overlay.hidden = true;
  });
  window.addEventListener("drop", (event) => {
    event.preventDefault();
    overlay.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (file) onFile(file);
  });
  byId("open").addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    const file = chooser.files?.[0];
    if (file) onFile(file);
    chooser.value = "";
  });
}
