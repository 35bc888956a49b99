import { FS } from "h5wasm";
import { expect, test } from "vitest";
import { withHdf5File } from "../src/hdf5/h5wasm.js";
import { readKeras } from "../src/index.js";
import { fixture } from "./fixtures.js";
import { fromKeras } from "@gradstep/core/interop";

const files = FS as unknown as { readFile(path: string): Uint8Array };

test("a variable of the model of 16 bits is an error, and not left out", async () => {
  const weights = fixture("adam-amsgrad.float32.weights.h5");
  const bytes = await withHdf5File(weights, ({ File }, path) => {
    const file = new File(path, "a");
    const group = file.create_group("layers/extra").create_group("vars");
    group.create_dataset({ name: "0", data: Int16Array.of(1, 2), shape: [2], dtype: "<h" });
    file.flush();
    file.close();
    return files.readFile(path).slice();
  });
  const spec = fromKeras({ class_name: "Adam", config: { amsgrad: true } });
  await expect(readKeras(bytes, { spec })).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringMatching(/layers\/extra\/vars\/0 has the type <h/),
  });
});
