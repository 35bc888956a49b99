import { GradstepError } from "@gradstep/core";
import { fromKeras } from "@gradstep/core/interop";
import { zipSync } from "fflate";
import { FS } from "h5wasm";
import { describe, expect, test } from "vitest";
import { cases, seed } from "../../../testing/cases.js";
import { slowTest } from "../../../testing/slow-test.js";
import { readArchive, writeArchive } from "../src/archive/archive.js";
import { withHdf5File } from "../src/hdf5/h5wasm.js";
import { readKeras } from "../src/index.js";
import { fixture } from "./fixtures.js";

const keras = fixture("adam.float32.keras");
const weights = fixture("adam-amsgrad.float32.weights.h5");
const spec = fromKeras({ class_name: "Adam", config: { amsgrad: true } });

/** An archive with one of its files replaced, or left out. */
function withFile(name: string, bytes: Uint8Array | undefined): Uint8Array {
  const files = new Map(readArchive(keras));
  if (bytes === undefined) files.delete(name);
  else files.set(name, bytes);
  return writeArchive(files);
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** Files in the memory of h5wasm. */
function filesLeft(): readonly string[] {
  const files = FS as unknown as { readdir(path: string): readonly string[] };
  return files.readdir("/").filter((name) => name.endsWith(".h5"));
}

/** An entry that claims to be large. */
function bomb(): Uint8Array {
  const bytes = zipSync({ "config.json": text("{}"), "model.weights.h5": new Uint8Array(100) });
  const view = new DataView(bytes.buffer);
  // The uncompressed size, in the central directory.
  for (let i = 0; i < bytes.length - 4; i += 1)
    if (view.getUint32(i, true) === 0x02014b50) view.setUint32(i + 24, 0xfffffff0, true);
  return bytes;
}

/** The configuration of the file, in which a layer of Keras 3.15 has called `enable_lora(2)`. */
function withLora(): Uint8Array {
  const json = new TextDecoder().decode(readArchive(keras).get("config.json"));
  const config = JSON.parse(json) as { config: { layers: { config: Record<string, unknown> }[] } };
  const layer = config.config.layers.at(-1)!.config;
  layer.name = "adapted";
  layer.lora_rank = 2;
  return text(JSON.stringify(config));
}

test("a model with LoRA weights, which Keras does not save", async () => {
  const file = withFile("config.json", withLora());
  const unsupported = {
    code: "UNSUPPORTED",
    message: expect.stringMatching(/LoRA.* in adapted;/) as string,
  };
  await expect(readKeras(file)).rejects.toMatchObject(unsupported);
});

describe("files that are not as Keras writes them", () => {
  test.each<[string, Uint8Array]>([
    ["nothing", new Uint8Array()],
    ["text", text("{}")],
    ["an archive that was cut", keras.subarray(0, 20_000)],
    ["an archive without a configuration", withFile("config.json", undefined)],
    ["an archive without weights", withFile("model.weights.h5", undefined)],
    ["a configuration that is not JSON", withFile("config.json", text("{"))],
    ["weights that are not HDF5", withFile("model.weights.h5", text("HDF"))],
    ["an entry that declares 4 GiB", bomb()],
    ["zeros that expand 1,000-fold", zipSync({ "config.json": new Uint8Array(10 ** 7) })],
    ["HDF5 that was cut", weights.subarray(0, 9000)],
    ["the signature of HDF5 and zeros", Uint8Array.from(weights, (byte, i) => (i < 8 ? byte : 0))],
  ])("%s", async (_, bytes) => {
    await expect(readKeras(bytes, { spec })).rejects.toMatchObject({ code: "INVALID_FILE" });
    expect(filesLeft()).toEqual([]);
  });

  test("a flipped bit in an archive", async () => {
    const start = new TextDecoder("latin1").decode(keras).indexOf("\x89HDF");
    for (const at of [start + 3000, keras.length - 8000]) {
      const bytes = keras.slice();
      bytes[at] ^= 4;
      await expect(readKeras(bytes)).rejects.toThrow(/checksum/);
    }
  });

  test("a value that has no bytes", async () => {
    await expect(readKeras("model.keras" as never)).rejects.toMatchObject({ code: "INVALID_FILE" });
  });

  test("a file of Keras 2", async () => {
    const bytes = await withHdf5File(undefined, (library, path, files) => {
      const file = new library.File(path, "w");
      file.create_group("model_weights");
      file.close();
      return files.readFile(path).slice();
    });
    await expect(readKeras(bytes, { spec })).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(readKeras(bytes, { spec })).rejects.toThrow(/Keras 2/);
  });

  test("an array that declares more than the file holds", async () => {
    const bytes = await withHdf5File(undefined, (library, path, files) => {
      const file = new library.File(path, "w");
      file.create_group("vars");
      const chunks = [1024];
      const data = new Float32Array(1024);
      const dataset = file.create_dataset({ name: "large", data, maxshape: [null], chunks });
      dataset.resize([2 ** 31]);
      file.close();
      return files.readFile(path).slice();
    });
    await expect(readKeras(bytes, { spec })).rejects.toMatchObject({ code: "INVALID_FILE" });
  });

  test("links that lead elsewhere", async () => {
    const bytes = await withHdf5File(undefined, (library, path, files) => {
      const file = new library.File(path, "w");
      file.create_group("vars");
      file.create_external_link("/etc/passwd", "x", "away");
      file.close();
      return files.readFile(path).slice();
    });
    await expect(readKeras(bytes, { spec })).rejects.toMatchObject({ code: "INVALID_FILE" });
  });

  test("a group that contains itself", async () => {
    const bytes = await withHdf5File(undefined, (library, path, files) => {
      const file = new library.File(path, "w");
      file.create_group("vars");
      file.create_group("layers");
      file.create_soft_link("/layers", "layers/again");
      file.close();
      return files.readFile(path).slice();
    });
    await expect(readKeras(bytes, { spec })).rejects.toMatchObject({ code: "INVALID_FILE" });
  });

  slowTest(
    "random changes: read, or a GradstepError; then the next file is read as before",
    async () => {
      let random = seed;
      const next = (below: number): number => {
        random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
        return random % below;
      };
      for (let i = 0; i < cases(5000, 150); i += 1) {
        const isArchive = i % 4 === 0;
        const bytes = (isArchive ? keras : weights).slice();
        for (let k = next(4); k >= 0; k -= 1) bytes[next(bytes.length)] = next(256);
        try {
          await readKeras(bytes, isArchive ? {} : { spec });
        } catch (error) {
          if (!(error instanceof GradstepError)) throw error;
        }
        expect(filesLeft()).toEqual([]);
      }
      await expect(readKeras(keras)).resolves.toMatchObject({ state: { rule: "adam" } });
    },
  );
});
