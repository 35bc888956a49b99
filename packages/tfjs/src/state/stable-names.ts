import { compareNumbers, withoutUniquenessNumber } from "./name-numbering.js";

const layerNumber = /_([A-Z][A-Za-z0-9]*?)(\d+)(?=\/)/g;

/** A name in parts: the numbers of layers without a name of their own, and the text around them. */
interface NameParts {
  readonly name: string;
  readonly texts: readonly string[];
  readonly layers: readonly { readonly type: string; readonly number: number }[];
}

/**
 * The names that variables have if TF.js makes nothing else before them: `dense_Dense1/kernel` for
 * `dense_Dense7/kernel`, `d/bias` for `d/bias_1`, and `0`, `1` for variables without a name. So a model has the same names
 * in each process. Names that users chose are kept.
 *
 * @param names of all variables of one model; each differs from the others.
 * @returns a name for each, which differs from the others.
 */
export function stableNames(names: readonly string[]): string[] {
  const parts = names.map(partsOf);
  const numbers = new Map<string, Set<number>>();
  for (const { type, number } of parts.flatMap(({ layers }) => layers))
    numbers.set(type, (numbers.get(type) ?? new Set<number>()).add(number));
  const ranks = new Map(
    [...numbers].map(([type, known]) => [type, [...known].sort((a, b) => a - b)]),
  );
  const unnamed = names.filter(isUnnamed).sort(compareNumbers);
  const stable = new Map<string, string>();
  const taken = new Set<string>();
  // In the order in which TF.js made them.
  for (const { name, texts, layers } of [...parts].sort((a, b) => compareNumbers(a.name, b.name))) {
    const numbered = layers.map(
      ({ type, number }, i) => `${texts[i]}_${type}${1 + ranks.get(type)!.indexOf(number)}`,
    );
    const base = isUnnamed(name)
      ? String(unnamed.indexOf(name))
      : withoutUniquenessNumber(numbered.join("") + texts.at(-1)!);
    let free = base;
    for (let i = 1; taken.has(free); i += 1) free = `${base}_${i}`;
    taken.add(free);
    stable.set(name, free);
  }
  return names.map((name) => stable.get(name)!);
}

function isUnnamed(name: string): boolean {
  return /^\d+$/.test(name);
}

function partsOf(name: string): NameParts {
  const texts: string[] = [];
  const layers: { type: string; number: number }[] = [];
  let start = 0;
  for (const match of name.matchAll(layerNumber)) {
    const [text, type, number] = match;
    const before = name.slice(start, match.index);
    // TF.js calls a layer by its class in snake case, and the class with a number.
    const isNumberedByTfjs = before.replaceAll("_", "").endsWith(type.toLowerCase());
    if (!isNumberedByTfjs) continue;
    texts.push(before);
    layers.push({ type, number: Number(number) });
    start = match.index + text.length;
  }
  return { name, texts: [...texts, name.slice(start)], layers };
}
