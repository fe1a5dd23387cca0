/** What this browser remembers of the visitor's choices. It may refuse to store anything. */

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch (error) {
    console.warn("This browser stores nothing for the next visit:", error);
  }
}
