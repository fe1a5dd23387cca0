/** Labels of function words: frequent, well linked, and no help in finding one's way on a map. */

const FUNCTION_WORDS = new Set(
  `a about above after again against all also although am among an and another any are as at be because been before
  being below between both but by can cannot could did do does doing down during each either else etc few for from
  further had has have having he her here hers herself him himself his how however i if in into is it its itself just
  may me might more most must my myself neither no nor not now of off on once one only or other others otherwise our
  ours out over own per same shall she should since so some such than that the their theirs them themselves then there
  these they this those though through thus to too under until up upon us very was we were what when where whether
  which while who whom whose why will with within without would yet you your yours`.split(/\s+/),
);

/** True if most words of a label's first part are function words, or if it has no words. */
export function saysLittle(label: string): boolean {
  const first = /\p{L}+/u.exec(label)?.[0].toLowerCase();
  // Nearly all labels end here, which matters: thousands are looked at in every choice of labels.
  if (first !== undefined && !FUNCTION_WORDS.has(first)) return false;
  const words =
    label
      .split(";", 1)[0]!
      .toLowerCase()
      .match(/\p{L}+/gu) ?? [];
  return words.length === 0 || 2 * words.filter((word) => FUNCTION_WORDS.has(word)).length > words.length;
}
