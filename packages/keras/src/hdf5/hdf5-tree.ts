import type { Values } from "@gradstep/core";

/** The types of numbers that Keras writes here. */
export type Hdf5Dtype = "<f4" | "<f8" | "<i4" | "<i8" | "<u4" | "<u8";

/** An array in an HDF5 file. */
export interface Hdf5Dataset {
  readonly kind: "dataset";
  readonly dtype: Hdf5Dtype;
  /** Empty for a scalar. */
  readonly shape: readonly number[];
  readonly values: Values | Int32Array | Uint32Array | BigInt64Array | BigUint64Array;
}

/** An array of another type, whose values are not read. */
export interface Hdf5OtherDataset {
  readonly kind: "other dataset";
  /** A description for messages. */
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** A group of an HDF5 file, with everything in it. */
export interface Hdf5Group {
  readonly kind: "group";
  /** The attribute `name`, in which Keras stores the name of a layer or an optimizer. */
  readonly name?: string;
  readonly children: ReadonlyMap<string, Hdf5Node>;
}

/** What a group contains. */
export type Hdf5Node = Hdf5Group | Hdf5Dataset | Hdf5OtherDataset;

/** The group at a path such as `optimizer/vars`; undefined if there is none. */
export function groupAt(root: Hdf5Group, path: string): Hdf5Group | undefined {
  let node: Hdf5Node | undefined = root;
  for (const part of path.split("/"))
    node = node?.kind === "group" ? node.children.get(part) : undefined;
  return node?.kind === "group" ? node : undefined;
}

/** The number of values of a shape. */
export function sizeOfShape(shape: readonly number[]): number {
  return shape.reduce((size, length) => size * length, 1);
}
