import type { Backend } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { expect, test } from "vitest";
import { BackendSource } from "../src/cli/backend-source.js";

/** A device is a number; a backend that makes its own counts, and says when it is disposed. */
function deviceBackends() {
  const disposed: number[] = [];
  let devices = 0;
  const factory = (options: Readonly<Record<string, unknown>> = {}): Backend => {
    const device = options["device"] ?? devices++;
    const dispose = (): void => void disposed.push(device as number);
    return Object.assign(reference(), { device, dispose });
  };
  return { factory, disposed };
}

const deviceOf = (backend: Backend | undefined): unknown =>
  (backend as { device?: unknown } | undefined)?.device;

test("backends share a device, until it has had 256 of them; the one before is kept for a while", async () => {
  const { factory, disposed } = deviceBackends();
  const source = new BackendSource(factory, undefined, "device");
  expect(source.owner).toBeUndefined();
  const made: unknown[] = [];
  for (let i = 0; i < 513; i += 1) {
    const backend = await source.make();
    expect(deviceOf(source.owner)).toBe(deviceOf(backend));
    made.push(deviceOf(backend));
    expect(disposed).toEqual(i < 512 ? [] : [0]);
  }
  expect(made).toEqual(Array.from({ length: 513 }, (_, i) => Math.floor(i / 256)));
});

test("without a shared property, each backend is made with the same options", async () => {
  const { factory } = deviceBackends();
  const source = new BackendSource(factory, { device: 7 }, undefined);
  const [one, other] = [await source.make(), await source.make()];
  expect(one).not.toBe(other);
  expect([deviceOf(one), deviceOf(other), source.owner]).toEqual([7, 7, undefined]);
});
