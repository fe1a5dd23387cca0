/** Progress, messages, and announcements to screen readers. */
import { display } from "../data/text";
import { byId } from "./dom";

/** A share of 0..1, "unknown" if it cannot be estimated, null when done. */
export function showProgress(share: number | "unknown" | null): void {
  const progress = byId("progress");
  progress.hidden = share === null;
  progress.classList.toggle("unknown", share === "unknown");
  if (typeof share === "number") {
    progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    (progress.firstElementChild as HTMLElement).style.transform = `scaleX(${Math.min(1, share).toFixed(3)})`;
  } else {
    progress.removeAttribute("aria-valuenow");
  }
}

/** Shows a message until it is closed or the next layer has loaded. */
export function showMessage(text: string, kind: "error" | "note" = "error"): void {
  const message = byId("message");
  message.className = kind;
  message.querySelector("p")!.textContent = display(text, 1000);
  message.hidden = false;
}

export function hideMessage(): void {
  byId("message").hidden = true;
}

/** Read out by screen readers, and invisible. */
export function announce(text: string): void {
  byId("announcer").textContent = display(text, 1000);
}
