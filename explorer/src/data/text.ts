/** Label text for comparing and for showing. Labels are written elsewhere and may contain anything. */

// Control characters are invisible, and the directional ones reorder the text around them.
const INVISIBLE = /[\p{Cc}\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e007f}]+/gu;

export const WORDS = /[\p{L}\p{N}\p{M}]+/gu;

/** Lower case without accents, for comparing: "Élan" and "elan" are the same word in a search. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
}

/** On one line, without invisible characters; longer text is cut to `limit` characters and ends in an ellipsis. */
export function display(text: string, limit = 4000): string {
  const line = text
    .slice(0, 4 * limit)
    .replace(INVISIBLE, " ")
    .replace(/\s+/g, " ")
    .trim();
  const characters = Array.from(line);
  if (characters.length <= limit && text.length <= 4 * limit) return line;
  const cut = characters.slice(0, limit).join("");
  const word = cut.lastIndexOf(" ");
  return `${(word > limit / 2 ? cut.slice(0, word) : cut).replace(/[\s,;:.]+$/u, "")}…`;
}

/** For a part of an address. encodeURIComponent would throw on half of a surrogate pair. */
export function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\p{Cs}/gu, "\ufffd"));
}

/** A number with its noun: "1 link", "2,048 features". */
export function counted(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * What a label says, short enough for the map: "friday; also monday" gives "friday". Of longer ones words of
 * `boilerplate` at the beginning are left out: "references to cats and dogs" gives "…cats and dogs".
 */
export function headline(label: string, boilerplate: ReadonlySet<string>, limit = 30): string {
  const head = label.split(";", 1)[0]!.trim() || label;
  if (head.length <= limit) return display(head, limit);
  // With its hyphen, "-in" is no boilerplate: it is what the label is about.
  const words = [...head.matchAll(/-?[\p{L}\p{N}\p{M}]+/gu)];
  const telling = words.find(([word]) => !boilerplate.has(fold(word)))?.index ?? 0;
  return display(telling === 0 ? head : `…${head.slice(telling)}`, limit);
}
