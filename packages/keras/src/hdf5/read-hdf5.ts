import { GradstepError } from "@gradstep/core";
import type { Dataset, File, Group } from "h5wasm";
import { checkSuperblock } from "./superblock.js";
import {
  sizeOfShape,
  type Hdf5Dataset,
  type Hdf5Dtype,
  type Hdf5Group,
  type Hdf5Node,
} from "./hdf5-tree.js";
import { withHdf5File, type Library } from "./h5wasm.js";
import { isOutOfMemory, outOfMemory } from "./out-of-memory.js";

const limits = {
  depth: 64,
  nodes: 200_000,
  /** Keras writes arrays as they are. Files that a tool has compressed may be that much larger. */
  expansion: 100,
};

const dtypes: Readonly<Record<string, Hdf5Dtype>> = {
  "<f": "<f4",
  "<d": "<f8",
  "<i": "<i4",
  "<q": "<i8",
  "<I": "<u4",
  "<Q": "<u8",
};

/**
 * Reads all groups and arrays of an HDF5 file. Links that lead elsewhere are an error. What a file declares is checked
 * before anything of that size is allocated.
 * @throws {GradstepError} `INVALID_FILE`, `UNSUPPORTED`, `OUT_OF_MEMORY`
 */
export async function readHdf5(bytes: Uint8Array): Promise<Hdf5Group> {
  checkSuperblock(bytes);
  return withHdf5File(bytes, (library, path) => {
    let file: File | undefined;
    try {
      file = new library.File(path, "r");
      if (file.file_id < 0n) throw new Error("it cannot be opened");
      return new Reader(library, file, bytes.length * limits.expansion).group(file, "", 0);
    } catch (cause) {
      if (cause instanceof GradstepError) throw cause;
      if (isOutOfMemory(cause)) throw outOfMemory("read", cause);
      throw new GradstepError(
        `The HDF5 file is damaged: ${cause instanceof Error ? cause.message : String(cause)}. Write it once more.`,
        { code: "INVALID_FILE", cause },
      );
    } finally {
      if (file !== undefined && file.file_id >= 0n) file.close();
    }
  });
}

class Reader {
  readonly #library: Library;
  readonly #file: File;
  #bytesLeft: number;
  #nodesLeft = limits.nodes;

  constructor(library: Library, file: File, bytes: number) {
    this.#library = library;
    this.#file = file;
    this.#bytesLeft = bytes;
  }

  group(group: Group, path: string, depth: number): Hdf5Group {
    if (depth > limits.depth) invalid(`${path} is more than ${limits.depth} groups deep`);
    const children = new Map<string, Hdf5Node>();
    for (const key of group.keys()) {
      this.#nodesLeft -= 1;
      if (this.#nodesLeft < 0) invalid(`it has more than ${limits.nodes} groups and arrays`);
      const inner = path === "" ? key : `${path}/${key}`;
      const node = this.#file.get(inner);
      if (node instanceof this.#library.Group)
        children.set(key, this.group(node, inner, depth + 1));
      else if (node instanceof this.#library.Dataset) children.set(key, this.#dataset(node, inner));
      else invalid(`${inner} is neither a group nor an array`);
    }
    const name = nameOf(group);
    return { kind: "group", children, ...(name !== undefined && { name }) };
  }

  #dataset(dataset: Dataset, path: string): Hdf5Node {
    const { metadata } = dataset;
    const { shape, size, virtual_sources: sources } = metadata;
    if (shape === null) return { kind: "other dataset", dtype: "nothing", shape: [] };
    if (sources !== undefined && sources !== null && sources.length > 0)
      invalid(`${path} takes its values from another file`);
    const length = sizeOfShape(shape);
    this.#bytesLeft -= length * size;
    if (!(this.#bytesLeft >= 0))
      invalid(`its arrays, ${path} among them, have more than ${limits.expansion} times its bytes`);
    const { dtype } = dataset;
    const known = typeof dtype === "string" ? dtypes[dtype] : undefined;
    // An attribute of this name says that integers stand for another type, such as bfloat16.
    const stored = "dtype" in dataset.attrs ? dataset.attrs.dtype.value : undefined;
    if (known === undefined || stored !== undefined) {
      const description = stored ?? dtype;
      return {
        kind: "other dataset",
        dtype: typeof description === "string" ? description : JSON.stringify(description),
        shape,
      };
    }
    const value = dataset.value as Hdf5Dataset["values"] | number | bigint;
    if (length > 0 && !ArrayBuffer.isView(value) && shape.length > 0)
      invalid(`${path} cannot be read`);
    const values = ArrayBuffer.isView(value) ? value : scalarValues(known, value);
    if (values.length !== length) invalid(`${path} has ${values.length} values for ${length}`);
    return { kind: "dataset", dtype: known, shape, values };
  }
}

function scalarValues(dtype: Hdf5Dtype, value: number | bigint): Hdf5Dataset["values"] {
  switch (dtype) {
    case "<f4":
      return Float32Array.of(Number(value));
    case "<f8":
      return Float64Array.of(Number(value));
    case "<i4":
      return Int32Array.of(Number(value));
    case "<u4":
      return Uint32Array.of(Number(value));
    case "<i8":
      return BigInt64Array.of(BigInt(value));
    case "<u8":
      return BigUint64Array.of(BigInt(value));
  }
}

function nameOf(group: Group): string | undefined {
  const { name } = group.attrs;
  const value = name?.value;
  return typeof value === "string" ? value : undefined;
}

function invalid(what: string): never {
  throw new GradstepError(`The HDF5 file is not one that Keras writes: ${what}.`, {
    code: "INVALID_FILE",
  });
}
