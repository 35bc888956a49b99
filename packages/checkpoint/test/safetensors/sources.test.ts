import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import { decodeSafetensors, readSafetensorsHeader } from "../../src/safetensors/index.js";
import { validFiles } from "./encoded.js";

/** The bytes as a stream of short chunks, and how often it was cancelled. */
function watched(bytes: Uint8Array<ArrayBuffer>) {
  let cancelled = 0;
  let at = 0;
  const stream = () =>
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.slice(at, at + 16));
        at += 16;
      },
      cancel() {
        cancelled += 1;
      },
    });
  return { source: { size: bytes.length, stream }, cancelled: () => cancelled };
}

test("bytes in the middle of a buffer are a file", async () => {
  const [, file] = await validFiles();
  const buffer = new Uint8Array(file.length + 24).fill(0x7b);
  buffer.set(file, 8);
  const { tensors } = await decodeSafetensors(buffer.subarray(8, 8 + file.length));
  expect(tensors.get("w")!.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
});

test("a stream of which only the header is read is cancelled", async () => {
  const [, , , , file] = await validFiles();
  const { source, cancelled } = watched(file);
  const { tensors } = await readSafetensorsHeader(source);
  expect([...tensors.keys()]).toContain("w");
  expect(cancelled()).toBe(1);
});

test("the stream of a file that is refused is cancelled", async () => {
  const [, , , , file] = await validFiles();
  // The header begins with another character.
  file[8] = 0x78;
  const { source, cancelled } = watched(file);
  await expect(decodeSafetensors(source)).rejects.toMatchObject({ code: "INVALID_FILE" });
  expect(cancelled()).toBe(1);
});

test("a signal that has not aborted keeps nothing of a file that was read", async () => {
  const [, file] = await validFiles();
  const { signal } = new AbortController();
  await decodeSafetensors(watched(file).source, { signal });
  expect(getEventListeners(signal, "abort")).toEqual([]);
});
