/** Label text as it is compared and as it is shown. Labels are data from elsewhere: they may hold anything. */

// Control characters have no shape, and the directional ones reorder text around them.
const INVISIBLE = /[\p{Cc}\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu;

/** Lower case without accents, for comparing: "Élan" and "elan" are the same word to somebody who searches. */
export function fold(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase();
}

/** On one line, without characters that have no shape; cut to `limit` characters, with an ellipsis if cut. */
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

/** The first part of a label, short enough to stand among points: "friday; also monday" gives "friday". */
export function headline(label: string, limit = 30): string {
  const head = label.split(";", 1)[0]!;
  return display(head.trim() === "" ? label : head, limit);
}
