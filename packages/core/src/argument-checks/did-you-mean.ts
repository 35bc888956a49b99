import { alternatives } from "../errors.js";

/** Short names of other libraries, and what they stand for, without case and underscores. */
const longNames: Readonly<Record<string, string>> = {
  lr: "learningrate",
  wd: "weightdecay",
  eps: "epsilon",
  b1: "beta1",
  b2: "beta2",
  betas: "beta1",
};

const maxSuggestions = 4;

/**
 * The end of an error message about an unknown name: names that may be meant, as ` Did you mean "learningRate"?`. Empty
 * if none is near: equal but for case and underscores, longer or shorter by a part, or one typing mistake away. It never throws.
 */
export function didYouMean(name: unknown, known: Iterable<string>): string {
  try {
    return suggestion(name, known);
  } catch {
    return "";
  }
}

function suggestion(name: unknown, known: Iterable<string>): string {
  if (typeof name !== "string" && typeof name !== "symbol") return "";
  const wanted = plainName(String(name));
  const candidates = [...known].map((one) => ({ one, text: plainName(one) }));
  const kinds = [
    (text: string) => text === wanted,
    (text: string) => isOneEditAway(text, wanted),
    (text: string) => contains(text, wanted) || contains(wanted, text),
  ];
  for (const isNear of kinds) {
    const near = candidates.filter(({ text }) => isNear(text)).map(({ one }) => one);
    if (near.length > 0 && near.length <= maxSuggestions)
      return ` Did you mean ${alternatives(near)}?`;
  }
  return "";
}

/** A name without case and underscores, in its long form. */
export function plainName(name: string): string {
  const text = name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
  return Object.hasOwn(longNames, text) ? longNames[text] : text;
}

/** Whether a name begins or ends with another one of some length. */
function contains(long: string, short: string): boolean {
  return short.length > 2 && (long.startsWith(short) || long.endsWith(short));
}

/** Whether one letter is added, missing or another one, or two neighbors have changed places. */
function isOneEditAway(a: string, b: string): boolean {
  if (Math.min(a.length, b.length) < 3) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start += 1;
  const rests = [
    [a.slice(start + 1), b.slice(start)],
    [a.slice(start), b.slice(start + 1)],
    [a.slice(start + 1), b.slice(start + 1)],
  ];
  const isSwapped =
    a[start] === b[start + 1] &&
    a[start + 1] === b[start] &&
    a.slice(start + 2) === b.slice(start + 2);
  return isSwapped || rests.some(([one, other]) => one === other);
}
