// What reads of one turn of the event loop share, and the next ones use again.
import { webgpu } from "@gradstep/webgpu";
import { expect, test } from "vitest";
import { describe, sharedDevice } from "./gpu.js";

/** Values of which a read needs more than a quarter of a shared buffer of 1 MiB. */
const size = 70_000;

describe("reads", () => {
  test("of one turn may need more than one buffer", async () => {
    const backend = webgpu({ device: await sharedDevice() });
    const tensors = [1, 2, 3, 4, 5].map((value) =>
      backend.tensor([size], new Float32Array(size).fill(value)),
    );
    const reads = await Promise.all(tensors.map((tensor) => tensor.read()));
    expect(reads.map((values) => values.length)).toEqual(Array(5).fill(size));
    expect(reads.map((values) => [values[0], values[size - 1]])).toEqual(
      [1, 2, 3, 4, 5].map((value) => [value, value]),
    );
    backend.dispose();
  });

  test("of more than a kept buffer has, after a read of less", async () => {
    const backend = webgpu({ device: await sharedDevice() });
    const small = backend.tensor([3], [1, 2, 3]);
    expect([...(await small.read())]).toEqual([1, 2, 3]);
    const length = 5 * size;
    const large = backend.tensor([length], new Float32Array(length).fill(7));
    const values = await large.read();
    expect([values.length, values[0], values[length - 1]]).toEqual([length, 7, 7]);
    expect([...(await small.read())]).toEqual([1, 2, 3]);
    backend.dispose();
  });
});
