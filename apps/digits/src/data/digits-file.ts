import { pixelsPerDigit, type Digits, type DigitSet } from "./digit-set.js";

/** Bytes in front of the labels: the number of digits to train on, and of those that are held out, as 32 bits each. */
const headBytes = 8;

/**
 * The digits as bytes: per set, the labels, then a byte per pixel. All integers are little-endian. Compressed, they are a
 * sixth as large.
 *
 * @throws {RangeError} for a pixel that is not one of the 256 values of the data set
 */
export function encodeDigits({ training, heldOut }: Digits): Uint8Array<ArrayBuffer> {
  const sets = [training, heldOut];
  const total = training.count + heldOut.count;
  const bytes = new Uint8Array(headBytes + total * (1 + pixelsPerDigit));
  const head = new DataView(bytes.buffer);
  sets.forEach(({ count }, set) => head.setUint32(set * 4, count, true));
  let start = headBytes;
  for (const { count, pixels, labels } of sets) {
    bytes.set(labels, start);
    start += count;
    pixels.forEach((pixel, index) => {
      const byte = Math.round(pixel * 255);
      if (pixelOf[byte] !== pixel) throw new RangeError(`Got a pixel of ${pixel}.`);
      bytes[start + index] = byte;
    });
    start += pixels.length;
  }
  return bytes;
}

/** What `encodeDigits` was given. */
export function decodeDigits(bytes: Uint8Array): Digits {
  const head = new DataView(bytes.buffer, bytes.byteOffset, headBytes);
  let start = headBytes;
  const next = (length: number): Uint8Array => bytes.subarray(start, (start += length));
  const [training, heldOut] = [0, 4].map((offset): DigitSet => {
    const count = head.getUint32(offset, true);
    const labels = next(count).slice();
    const pixels = Float32Array.from(next(count * pixelsPerDigit), (byte) => pixelOf[byte]);
    return { count, pixels, labels };
  });
  return { training, heldOut };
}

/** The data set has its pixels in steps of 1/255, rounded to three decimals. */
const pixelOf = Float32Array.from(
  { length: 256 },
  (_, byte) => Math.round((byte / 255) * 1000) / 1000,
);
