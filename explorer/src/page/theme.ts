/** Light or dark, as the visitor chose last time. */
import type { Theme } from "../colors";
import type { Store } from "./state";

export function storedTheme(): Theme {
  try {
    return localStorage.getItem("theme") === "light" ? "light" : "dark";
  } catch {
    // The browser refuses storage to this page.
    return "dark";
  }
}

export function followTheme(store: Store): void {
  store.follow(["theme"], ({ theme }) => {
    document.documentElement.dataset.theme = theme;
  });
}

export function toggleTheme(store: Store): void {
  const theme = store.current.theme === "dark" ? "light" : "dark";
  store.update({ theme });
  try {
    localStorage.setItem("theme", theme);
  } catch (error) {
    console.warn("The theme could not be stored:", error);
  }
}
