import { GradstepError } from "@gradstep/core";
import { expect, test } from "vitest";
import type { ErrorTracker } from "../src/device/error-tracker.js";
import { BufferPools } from "../src/memory/buffer-pools.js";
import { ElementTemporaries } from "../src/memory/element-temporaries.js";

/** A device that makes buffers, and a tracker that can report that it had no memory for the last one. */
function fakeDevice(limits: { maxBufferSize: number; maxStorageBufferBindingSize: number }) {
  let refuse: (message: string) => unknown = () => undefined;
  const device = { limits, createBuffer: (descriptor: object) => ({ ...descriptor }) };
  const errors = {
    capture: (_: string, action: () => unknown, errorOf: (message: string) => GradstepError) => {
      refuse = errorOf;
      return action();
    },
  };
  return {
    device: device as unknown as GPUDevice,
    errors: errors as unknown as ErrorTracker,
    refuseLast: () => refuse("no memory"),
  };
}

const limits = { maxBufferSize: 2 ** 22, maxStorageBufferBindingSize: 2 ** 21 };

test("a buffer that the device had no memory for is not allocated from again", () => {
  const { device, errors, refuseLast } = fakeDevice(limits);
  const pools = new BufferPools(device, errors);
  const lost = pools.allocate(1000, 0);
  expect(lost.failure).toBeUndefined();
  refuseLast();
  expect(lost.failure).toBeInstanceOf(GradstepError);
  const next = pools.allocate(1000, 0);
  expect(next.failure).toBeUndefined();
  expect(next.buffer).not.toBe(lost.buffer);
});

test("temporaries are in as few buffers as fit into bindings, each at a multiple of 256 bytes", () => {
  const { device, errors } = fakeDevice(limits);
  const words = limits.maxStorageBufferBindingSize / 4;
  const sizes = [words / 2, 1, words / 2 - 128, 1, words];
  const temporaries = new ElementTemporaries(device, errors, "test", [{ name: "t", sizes }]);
  const views = sizes.map((_, tensor) => temporaries.viewOf("t", tensor));
  const buffers = [...new Set(views.map(({ buffer }) => buffer))];
  expect(views.map(({ buffer, start }) => [buffers.indexOf(buffer), start])).toEqual([
    [0, 0],
    [0, words / 2],
    [0, words / 2 + 64],
    [0, words - 64],
    [1, 0],
  ]);
  expect(buffers.map(({ size }) => size)).toEqual([4 * words, 4 * words]);
});
