import { expect, test } from "vitest";
import { memoryStore } from "../../src/index.js";
import { decodeSafetensors, type SafetensorsEntry } from "../../src/safetensors/index.js";
import { encoded } from "../safetensors/encoded.js";
import { expectEqual, inChunks, readAll } from "../stores/store-bytes.js";

/** Browsers hash, decode and store no memory of these kinds, such as that of a growing wasm module. */
const kinds = {
  resizable: (length: number) =>
    Reflect.construct(ArrayBuffer, [length, { maxByteLength: length + 64 }]) as ArrayBuffer,
  // A page that is not isolated has no SharedArrayBuffer of its own.
  shared: (length: number) => sharedMemory(length),
};

function sharedMemory(length: number): ArrayBufferLike {
  const initial = Math.ceil(length / 65_536);
  return new WebAssembly.Memory({ initial, maximum: initial, shared: true }).buffer;
}

for (const [kind, allocate] of Object.entries(kinds))
  // One block of 1 MiB is a view of the array, a short one is not.
  for (const length of [3, 600_000])
    test(`${length} values in ${kind} memory are written and read`, async () => {
      const data = new Float32Array(allocate(length * 4), 0, length) as Float32Array<ArrayBuffer>;
      data.forEach((_, i) => {
        data[i] = i;
      });
      const tensors = new Map<string, SafetensorsEntry>([
        ["w", { dtype: "F32", shape: [length], data }],
      ]);
      const file = await encoded(tensors, { digest: true });
      const bytes = new Uint8Array(
        allocate(file.length),
        0,
        file.length,
      ) as Uint8Array<ArrayBuffer>;
      bytes.set(file);
      const decoded = await decodeSafetensors(bytes, { digest: "require" });
      expect(decoded.tensors.get("w")!.data.every((value, i) => value === i)).toBe(true);
      const store = memoryStore();
      const stored = await store.open(await store.write(inChunks(bytes, file.length)));
      expectEqual(await readAll(stored), file);
    });
