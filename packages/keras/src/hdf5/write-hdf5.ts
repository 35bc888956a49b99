import { GradstepError } from "@gradstep/core";
import type { File } from "h5wasm";
import type { Hdf5Dtype, Hdf5Group, Hdf5Node } from "./hdf5-tree.js";
import { withHdf5File } from "./h5wasm.js";
import { isOutOfMemory, outOfMemory } from "./out-of-memory.js";

/** Types as h5wasm writes them, which takes the letter alone for the size. */
const codes: Readonly<Record<Hdf5Dtype, string>> = {
  "<f4": "<f",
  "<f8": "<d",
  "<i4": "<i",
  "<i8": "<q",
  "<u4": "<I",
  "<u8": "<Q",
};

/**
 * The bytes of an HDF5 file with these groups and arrays.
 * @throws {GradstepError} `UNSUPPORTED` for an array of a type that is not read, and what HDF5 refuses; `OUT_OF_MEMORY`
 */
export function writeHdf5(root: Hdf5Group): Promise<Uint8Array<ArrayBuffer>> {
  return withHdf5File(undefined, (library, path, files) => {
    let file: File | undefined;
    try {
      file = new library.File(path, "w");
      writeGroup(file, root, "");
      file.flush();
    } catch (cause) {
      if (cause instanceof GradstepError) throw cause;
      throw isOutOfMemory(cause) || bytesOf(root) > maxBytes
        ? outOfMemory("written", cause)
        : new GradstepError(
            `The HDF5 file cannot be written: ${cause instanceof Error ? cause.message : String(cause)}. Names must not be empty or have a slash; report anything else as a fault of @gradstep/keras.`,
            { code: "UNSUPPORTED", cause },
          );
    } finally {
      if (file !== undefined && file.file_id >= 0n) file.close();
    }
    try {
      return files.readFile(path).slice();
    } catch (cause) {
      throw outOfMemory("written", cause);
    }
  });
}

/** What WebAssembly memory holds for arrays, at most. */
const maxBytes = 2 ** 31;

function bytesOf(node: Hdf5Node): number {
  if (node.kind === "dataset") return node.values.byteLength;
  if (node.kind === "other dataset") return 0;
  return [...node.children.values()].reduce((sum, one) => sum + bytesOf(one), 0);
}

function writeGroup(file: File, group: Hdf5Group, path: string): void {
  const created = path === "" ? file : file.create_group(path);
  if (group.name !== undefined) created.create_attribute("name", group.name);
  for (const [key, node] of group.children) {
    const inner = path === "" ? key : `${path}/${key}`;
    if (node.kind === "group") writeGroup(file, node, inner);
    else if (node.kind === "dataset") {
      const { values, shape, dtype } = node;
      file.create_dataset({ name: inner, data: values, shape: [...shape], dtype: codes[dtype] });
    } else {
      throw new GradstepError(
        `${inner} has the type ${node.dtype}, which cannot be copied; expected f32, f64 or integers. Save the template with float32.`,
        { code: "UNSUPPORTED" },
      );
    }
  }
}
