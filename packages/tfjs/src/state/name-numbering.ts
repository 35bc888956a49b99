/**
 * How TF.js numbers names, which depends on what the process made before: variables without a name are called `0`, `1`,
 * …; layers without a name `dense_Dense1`, `dense_Dense2`, …; and the second `d/bias` of a process is `d/bias_1`.
 */

const uniquenessNumber = /_\d+$/;
const layerNumber = /(_[A-Z][A-Za-z0-9]*?)\d+(?=\/)/g;

/** A name without TF.js's numbers. Names of one family may be the same variable in two processes. */
export function familyOf(name: string): string {
  return name.replace(/(^|_)\d+$/, "").replace(layerNumber, "$1");
}

/**
 * Whether TF.js may have chosen the numbers in a name: variables without a name, and variables of layers, which are the
 * only ones with a scope. Other names were chosen by the user.
 */
export function isNumberedByTfjs(name: string): boolean {
  return name.includes("/") || /^\d+$/.test(name);
}

/** The name of a layer's variable without the number that makes it unique: `d/bias` for `d/bias_1`. */
export function withoutUniquenessNumber(name: string): string {
  return name.includes("/") ? name.replace(uniquenessNumber, "") : name;
}

/** That number; 0 for a name without one. */
export function uniquenessNumberOf(name: string): number {
  return Number(uniquenessNumber.exec(name)?.[0].slice(1) ?? 0);
}

/** The name of the layer that a variable belongs to: `d` for `d/bias_1`. */
export function layerOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}

/** Orders names of one family by their numbers, which is the order in which TF.js made them. */
export function compareNumbers(a: string, b: string): number {
  const [first, second] = [numbersOf(a), numbersOf(b)];
  for (let i = 0; i < Math.max(first.length, second.length); i += 1) {
    const difference = (first[i] ?? 0) - (second[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbersOf(name: string): number[] {
  return (name.match(/\d+/g) ?? []).map(Number);
}
