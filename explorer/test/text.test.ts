import { expect, it } from "vitest";
import { display, encoded, fold, headline } from "../src/data/text";

it("folds case, accents and compatible forms", () => {
  expect(fold("Crème BRÛLÉE ﬁne")).toBe("creme brulee fine");
});

it("shows text on one line, without what reorders or hides it", () => {
  expect(display("a\u0000b\n\tc \u202egnp.exe\u2069 \u200bd")).toBe("a b c gnp.exe d");
  expect(display("a\u061cb\u2060c\u{e0041}d")).toBe("a b c d");
  expect(display("العربية שלום 日本語")).toBe("العربية שלום 日本語");
});

it("cuts long text at a word, and never a character in two", () => {
  expect(display("one two three four", 12)).toBe("one two…");
  expect(display("😀".repeat(50), 3)).toBe("😀😀😀…");
  expect(display("x".repeat(100_000), 20)).toBe(`${"x".repeat(20)}…`);
});

const NONE = new Set<string>();

it("takes the first part of a label as its headline", () => {
  expect(headline("friday; also monday, tuesday", NONE)).toBe("friday");
  expect(headline("; also monday", NONE)).toBe("; also monday");
});

it("encodes any text for an address, even half of a surrogate pair", () => {
  expect(encoded("a/b \ud800 😀")).toBe(encodeURIComponent("a/b \ufffd 😀"));
});

it("leaves out what a long headline begins with, if it says nothing", () => {
  const boilerplate = new Set(["references", "to", "phrases", "that"]);
  expect(headline("References to cats and to other animals", boilerplate)).toBe("…cats and to other animals");
  expect(headline("references to cats", boilerplate)).toBe("references to cats");
  expect(headline("phrases that references to that phrases", boilerplate)).toBe(
    "phrases that references to…",
  );
  const pieces = new Set(["piece", "in"]);
  expect(headline("piece: -in in plugin, insinuation, evincing", pieces)).toBe(
    "…-in in plugin, insinuation…",
  );
});
