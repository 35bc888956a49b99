import { type DigitSet, pixelsPerDigit, side, percent, type Prediction } from "@gradstep/digits";
import { count } from "@gradstep/apps-shared/format";
import { pngAddress } from "./png.js";

/** The number of mistakes that are shown; the others are collapsed. */
const shown = 24;

/** Mistakes as pictures with captions, in the given order. */
export function mistakeFigures(wrong: readonly Prediction[], digits: DigitSet): string {
  const figures = (predictions: readonly Prediction[]): string =>
    `<div class="digits">\n${predictions.map((one) => digitFigure(one, digits)).join("\n")}\n</div>`;
  const folded = wrong.slice(shown);
  const rest =
    folded.length === 0
      ? ""
      : `\n<details><summary>Show all ${count(wrong.length)} mistakes</summary>\n${figures(folded)}\n</details>`;
  return `<p class="legend">predicted / actual, and the network's confidence in its prediction; highest first</p>
${figures(wrong.slice(0, shown))}${rest}`;
}

function digitFigure(
  { index, predicted, actual, confidence }: Prediction,
  { pixels }: DigitSet,
): string {
  const digit = pixels.subarray(index * pixelsPerDigit, (index + 1) * pixelsPerDigit);
  const address = pngAddress(
    Uint8Array.from(digit, (ink) => Math.round(ink * 255)),
    side,
  );
  return `<figure>
<img src="${address}" alt="A handwritten ${actual}" width="56" height="56">
<figcaption><b>${predicted}</b> / ${actual} <small>${percent(confidence, 0)}</small></figcaption>
</figure>`;
}
