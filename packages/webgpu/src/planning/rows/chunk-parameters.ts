import { activationCode } from "../../shaders/activation-functions.js";
import { floatBits } from "../../shaders/float-bits.js";
import { rowArraysOf } from "../../shaders/row-bindings.js";
import {
  copyWords,
  gradientTypeCode,
  hasStride,
  hasWidth,
  placedArraysOf,
  rowParameterNames,
  unselectedRowsCode,
  type CopyParameters,
  type RowParameters,
} from "../../shaders/row-parameters.js";
import { groupingOf } from "./chunk-grouping.js";
import { chunkStart, gradientRowsOf, type RowChunk } from "./row-chunk.js";

/**
 * The row parameters of a chunk, the starts and strides of its arrays, and its copies, as words of a table.
 * @param offsets of the bindings, in the order of `spansOf`
 */
export function chunkParameters(chunk: RowChunk, offsets: readonly number[]): readonly number[] {
  const { kernel, locations, gradient, gradientActivation, mask, unselectedRows, layout } = chunk;
  const { columns, firstRow } = chunk;
  const { firstRow: firstGradientRow } = gradientRowsOf(chunk);
  const offsetOf = (name: string): number => bindingOffset(chunk, name, offsets);
  const { lineLength, groupLength } = groupingOf(chunk);
  const parameters: RowParameters = {
    columns,
    gradient_unit: gradient?.unit ?? 0,
    gradient_start:
      gradient === undefined
        ? 0
        : gradient.start + firstGradientRow * gradient.stride - offsetOf("g") / 2,
    gradient_stride: gradient?.stride ?? 0,
    unselected: unselectedRowsCode[unselectedRows],
    mask_start:
      mask === undefined ? 0 : mask.start + firstRow * mask.stride - offsetOf("#mask") / 4,
    mask_stride: mask?.stride ?? 0,
    mask_first_row: firstRow,
    gradient_type: gradientTypeCode[gradient?.type ?? "float"],
    gradient_scale: floatBits(gradient?.scale ?? 1),
    gradient_activation: activationCode[gradientActivation?.kind ?? "identity"],
    activation_scale: floatBits(gradientActivation?.scale ?? 1),
    line_length: lineLength,
    group_length: groupLength,
  };
  const placed = placedArraysOf(kernel, layout);
  return [
    ...rowParameterNames(layout).map((name) => parameters[name]),
    ...placed.map(({ name, isScratch }) => {
      const start = chunkStart(locations.get(name)!, chunk);
      return isScratch ? start : start - offsetOf(name) / 4;
    }),
    ...placed
      .filter((array) => hasStride(array, layout))
      .map((array) => {
        const { width, stride } = locations.get(array.name)!;
        // An elementwise kernel counts the rows of all matrices of a slot per row.
        const isCounted = array.extent === "row" && kernel.over !== "row" && width > 1;
        return isCounted && !hasWidth(array, layout) ? 1 : stride;
      }),
    ...placed
      .filter((array) => hasWidth(array, layout))
      .map(({ name }) => locations.get(name)!.width),
    ...copyWords(copyParameters(chunk, offsetOf)),
  ];
}

function copyParameters(
  { copies, firstRow }: RowChunk,
  offsetOf: (name: string) => number,
): readonly CopyParameters[] {
  return copies.map(({ activation, start, stride, unit, isFilled }, k) => ({
    activation: isFilled ? activationCode[activation.kind] : 0,
    scale: floatBits(activation.scale),
    offset: floatBits(activation.offset),
    start: isFilled ? start + firstRow * stride - offsetOf(`#copy${k}`) / 2 : 0,
    stride,
    unit,
  }));
}

/** The offset of the binding of an array, in bytes. */
function bindingOffset(
  { kernel, layout }: RowChunk,
  name: string,
  offsets: readonly number[],
): number {
  const index = rowArraysOf(kernel, layout).findIndex((array) => array.name === name);
  return offsets[layout.bindings[index]];
}

/** The parameters of a chunk's list of rows, whose buffer is bound as a whole; none if it has no list. */
export function listParameters({ list, firstRow, rowCount }: RowChunk): readonly number[] {
  if (list === undefined) return [];
  const { start, firstEntries = 0, scalarStarts } = list;
  const starts = scalarStarts === undefined ? [] : [scalarStarts];
  return [start, firstEntries, firstRow, rowCount, ...starts];
}
