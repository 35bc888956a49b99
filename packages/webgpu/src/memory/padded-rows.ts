import { GradstepError } from "@gradstep/core";

/** Rows of a shape, and the buffer in which they are one after the other. */
interface PlainRows {
  readonly shape: readonly number[];
  readonly rows: number;
  /** Values per row. */
  readonly columns: number;
  readonly bytesPerValue: number;
  readonly bufferLength: number;
}

/** Buffers are often rounded up to a multiple of a power of two, at most this number of bytes. */
const maxAlignment = 256;

/**
 * Refuses a shape whose rows do not fill the buffer although larger rows would: `array<vec3f>` and structs have padding
 * after each row, and to a tensor without a stride this padding would be values. The vectors of WGSL with three
 * components take the space of four, also where a single row has several of them. A buffer that has no equal space for
 * each row is not refused, nor one that may have been rounded up.
 *
 * @throws {GradstepError} `INVALID_MEMORY`
 */
export function checkFillsBuffer(values: PlainRows): void {
  const { shape, rows, columns, bytesPerValue, bufferLength } = values;
  const rowBytes = bufferLength / rows;
  const stride = rowBytes / bytesPerValue;
  // Rows of one dimension are single values: the buffer has more of them.
  if (shape.length < 2 || !Number.isInteger(stride) || stride <= columns) return;
  const mayBeVectors = columns % 3 === 0 && stride * 3 === columns * 4;
  const used = rows * columns * bytesPerValue;
  const areVectors = mayBeVectors && shape.at(-1) === 3;
  if (rows < 2 && !(areVectors && columns > 3)) return;
  const multiple = bufferLength | maxAlignment;
  // The largest power of two up to `maxAlignment` that divides the length of the buffer.
  const alignment = multiple & -multiple;
  if (!areVectors && bufferLength - used < alignment) return;
  const capacity = Math.floor(bufferLength / (columns * bytesPerValue));
  const plain = `If the rows have no gaps, pass capacity: ${capacity}, or offset: 0 for the first ${used} bytes.`;
  const vectors = (rows * columns) / 3;
  const padded =
    columns > 3 && mayBeVectors
      ? `If each three values are followed by padding, as in array<vec3f>, pass shape: [${vectors}, 3] and rowStride: 4; if each row is, rowStride: ${stride}.`
      : `If each row is followed by padding or other fields${areVectors ? ", as in array<vec3f>" : ""}, pass rowStride: ${stride}.`;
  throw new GradstepError(
    `Shape [${shape.join(", ")}] covers ${used} of the buffer's ${bufferLength} bytes, which are ${stride} values per row. ${padded} ${plain}`,
    { code: "INVALID_MEMORY" },
  );
}
