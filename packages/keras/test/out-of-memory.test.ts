import { FS } from "h5wasm";
import { afterEach, expect, test, vi } from "vitest";
import type { Hdf5Group, Hdf5Node } from "../src/hdf5/hdf5-tree.js";
import { writeHdf5 } from "../src/hdf5/write-hdf5.js";
import { readKeras } from "../src/index.js";
import { fixture } from "./fixtures.js";

const files = FS as unknown as Record<"writeFile" | "readFile", (...given: unknown[]) => unknown>;

afterEach(() => {
  vi.restoreAllMocks();
});

/** What engines throw for an array that is too large. */
function allocationFails(): never {
  throw new RangeError("Array buffer allocation failed");
}

const values: Hdf5Node = {
  kind: "dataset",
  dtype: "<f4",
  shape: [2],
  values: Float32Array.of(1, 2),
};
const root: Hdf5Group = { kind: "group", children: new Map([["a", values]]) };

test("a file that does not fit into memory is OUT_OF_MEMORY, not a damaged one", async () => {
  vi.spyOn(files, "writeFile").mockImplementation(allocationFails);
  await expect(readKeras(fixture("adam.float32.keras"))).rejects.toMatchObject({
    code: "OUT_OF_MEMORY",
    cause: { message: "Array buffer allocation failed" },
  });
});

test("so is one that cannot be copied out of WebAssembly memory", async () => {
  vi.spyOn(files, "readFile").mockImplementation(allocationFails);
  await expect(writeHdf5(root)).rejects.toMatchObject({ code: "OUT_OF_MEMORY" });
});

test("what HDF5 refuses to write is not a lack of memory", async () => {
  const short: Hdf5Node = { ...values, shape: [3] };
  const wrong: Hdf5Group = { kind: "group", children: new Map([["a", short]]) };
  await expect(writeHdf5(wrong)).rejects.toMatchObject({ code: "UNSUPPORTED" });
});
