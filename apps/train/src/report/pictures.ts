import { type DigitSet, pixelsPerDigit, side } from "../digits.js";
import type { Prediction } from "../evaluation.js";
import { percent } from "../terminal/figures.js";
import { pngAddress } from "./png.js";

/** Digits as HTML figures: a picture, what the network took it for and what it is. */
export function digitFigures(predictions: readonly Prediction[], digits: DigitSet): string {
  return predictions
    .map(({ index, label, predicted, confidence }) => {
      const pixels = digits.pixels.subarray(index * pixelsPerDigit, (index + 1) * pixelsPerDigit);
      const address = pngAddress(
        Uint8Array.from(pixels, (ink) => Math.round(ink * 255)),
        side,
      );
      const sure = percent(confidence, 0);
      return `<figure title="${sure} sure that this ${label} is a ${predicted}">
<img src="${address}" alt="A handwritten ${label}" width="56" height="56">
<figcaption><b>${predicted}</b> for ${label}</figcaption>
</figure>`;
    })
    .join("\n");
}
