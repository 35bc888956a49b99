import { GradstepError } from "@gradstep/core";
import type { File } from "h5wasm";
import { withHdf5File } from "./library.js";
import type { Hdf5Dtype, Hdf5Group } from "./hdf5-tree.js";

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
 * @throws {GradstepError} `UNSUPPORTED` for an array of a type that is not read; `OUT_OF_MEMORY`
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
      throw new GradstepError(
        `The HDF5 file cannot be written: ${cause instanceof Error ? cause.message : String(cause)}. It is made in WebAssembly memory, which holds 2 GiB.`,
        { code: "OUT_OF_MEMORY", cause },
      );
    } finally {
      if (file !== undefined && file.file_id >= 0n) file.close();
    }
    return files.readFile(path).slice();
  });
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
