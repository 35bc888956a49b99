import type { RowKernelLayout } from "../../shaders/kernel-layout.js";
import { copyIndexOf, rowArraysOf, type RowArray } from "../../shaders/row-bindings.js";
import type { KernelArray } from "../../shaders/kernel-program.js";
import { placedArraysOf } from "../../shaders/row-parameters.js";
import { idOf } from "../dispatch/object-ids.js";
import type { CopyView, RowItem } from "./row-item.js";

/** A copy of an item, or a binding that it has because other items of the dispatch have a copy. */
export interface CopyBinding extends CopyView {
  readonly isFilled: boolean;
}

/** An item with the layout of the kernel that updates it. */
export interface PlacedRowItem extends Omit<RowItem, "copies"> {
  readonly layout: RowKernelLayout;
  /** As many as the layout has. */
  readonly copies: readonly CopyBinding[];
}

/** Gives items the same layout if they can be in one dispatch: those with the same buffers. */
export function placedRowItems(items: readonly RowItem[]): PlacedRowItem[] {
  const groups = new Map<string, number[]>();
  items.forEach((item, i) => {
    const { kernel, mask, list } = item;
    const options = { mask: mask !== undefined, list: list !== undefined };
    const plain = { ...options, activates: false, clears: false, copies: 0 };
    const buffers = rowArraysOf(kernel, plain).map((array) => idOf(bufferOf(item, array)!));
    // A mask and a list have buffers of their own.
    const key = buffers.join();
    const group = groups.get(key) ?? [];
    groups.set(key, group);
    group.push(i);
  });
  const placed: PlacedRowItem[] = [];
  for (const indices of groups.values()) {
    const group = indices.map((i) => items[i]);
    const features = featuresOf(group);
    // A copy's binding is needed for all items; it is the first one's for those that have none.
    const borrowed = Array.from(
      { length: features.copies },
      (_, c) => group.find(({ copies }) => c < copies.length)!.copies[c],
    );
    for (const i of indices) {
      const item = items[i];
      const copies = borrowed.map((other, c) => ({
        ...(item.copies[c] ?? other),
        isFilled: c < item.copies.length,
      }));
      placed[i] = { ...item, copies, layout: { ...features, bindings: [] } };
      placed[i] = { ...placed[i], layout: { ...features, bindings: bindingsOf(placed[i]) } };
    }
  }
  return placed;
}

/** What at least one of the items needs. */
function featuresOf(items: readonly RowItem[]): Omit<RowKernelLayout, "bindings"> {
  const [{ kernel, mask, list }] = items;
  const activates = items.some(({ gradientActivation }) => gradientActivation !== undefined);
  const copies = Math.max(...items.map((item) => item.copies.length));
  const placed = placedArraysOf(kernel, { activates, copies }).filter((one) => !one.isScratch);
  const hasGaps = ({ locations }: RowItem, { name }: KernelArray): boolean => {
    const { stride, width } = locations.get(name)!;
    return stride !== width;
  };
  return {
    mask: mask !== undefined,
    list: list !== undefined,
    rowScalars: list?.scalarStarts !== undefined,
    strides: items.some((item) => placed.some((array) => hasGaps(item, array))),
    widths: items.some((item) =>
      placed.some(
        (array) =>
          (array.extent === "column" ||
            (array.extent === "row" && item.locations.get(array.name)!.width > 1)) &&
          hasGaps(item, array),
      ),
    ),
    fixedPoint: fixedPointOf(items),
    activates,
    clears: items.some(({ clearsGradient }) => clearsGradient),
    copies,
    fused: items.some(({ isFused }) => isFused),
    halves: items.some(
      (item) =>
        item.copies.some(({ unit }) => unit === 1) ||
        (item.clearsGradient && item.gradient?.unit === 1),
    ),
  };
}

/** The type of the gradients of items in fixed point. */
function fixedPointOf(items: readonly RowItem[]): RowKernelLayout["fixedPoint"] {
  const types = new Set(
    items.flatMap(({ gradient }) => (gradient === undefined ? [] : [gradient.type])),
  );
  if (types.size > 1) return "mixed";
  const [type = "float"] = types;
  return type === "float" ? "none" : type;
}

/**
 * The bindings of arrays: WebGPU allows one binding of a buffer that a dispatch writes to, so the arrays in it share it.
 */
function bindingsOf(item: PlacedRowItem): readonly number[] {
  const arrays = rowArraysOf(item.kernel, item.layout);
  const buffers = arrays.map((array) => bufferOf(item, array)!);
  const written = new Set(buffers.filter((_, i) => arrays[i].isWritten));
  const bindings: number[] = [];
  let count = 0;
  buffers.forEach((buffer, i) => {
    const first = written.has(buffer) ? buffers.indexOf(buffer) : i;
    if (first === i) {
      bindings.push(count);
      count += 1;
    } else bindings.push(bindings[first]);
  });
  return bindings;
}

/** The buffer of an array. */
function bufferOf(
  { locations, gradient, mask, list, copies }: RowItem,
  { name, content }: RowArray,
): GPUBuffer | undefined {
  if (content === "gradient") return gradient?.buffer;
  if (content === "mask") return mask?.buffer;
  if (content === "list") return list?.buffer;
  if (content === "copy") return copies[copyIndexOf(name)].buffer;
  return locations.get(name)!.buffer;
}
