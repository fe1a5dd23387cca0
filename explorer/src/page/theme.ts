/** Light or dark: as the visitor chose last time, else as the system is set. */
import type { Theme } from "../colors";
import { recall, remember } from "./memory";
import type { Store } from "./state";

const LIGHT = matchMedia("(prefers-color-scheme: light)");

export function followTheme(store: Store): void {
  const preferred = (): Theme => {
    const stored = recall("theme");
    return stored === "light" || stored === "dark" ? stored : LIGHT.matches ? "light" : "dark";
  };
  LIGHT.addEventListener("change", () => store.update({ theme: preferred() }));
  store.update({ theme: preferred() });
  store.follow(["theme"], ({ theme }) => {
    document.documentElement.dataset.theme = theme;
  });
}

export function toggleTheme(store: Store): void {
  const theme = store.current.theme === "dark" ? "light" : "dark";
  store.update({ theme });
  remember("theme", theme);
}
