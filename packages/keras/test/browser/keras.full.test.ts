import { createOptimizer } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { expect, test } from "vitest";
import { readKeras, writeKeras } from "../../src/index.js";

test("a .keras file is read and written on a page", async () => {
  const url = new URL("../fixtures/adam.float32.keras", import.meta.url);
  const template = await (await fetch(url)).blob();
  const { spec, parameters, otherTensors, state } = await readKeras(template);
  const backend = cpuJs();
  const tensors = Object.fromEntries(
    Object.entries(parameters).map(([name, { shape, values }]) => [
      name,
      backend.tensor(shape, values as Float32Array),
    ]),
  );
  const optimizer = createOptimizer(spec, tensors);
  optimizer.restore(state);
  const checkpoint = { config: optimizer.config(), state: await optimizer.state(), parameters };
  const again = await readKeras(await writeKeras(checkpoint, { template }));
  expect(again.parameters).toEqual(parameters);
  expect(again.otherTensors).toEqual(otherTensors);
  expect(again.state).toEqual(state);
  expect(state.iterations).toBe(8003);
});

test("the bytes of a file can be in memory that grows, which browsers do not decode", async () => {
  const url = new URL("../fixtures/adam.float32.keras", import.meta.url);
  const file = await (await fetch(url)).bytes();
  const expected = await readKeras(file);
  const pages = Math.ceil(file.length / 65_536);
  for (const memory of [
    Reflect.construct(ArrayBuffer, [
      file.length,
      { maxByteLength: file.length + 1 },
    ]) as ArrayBuffer,
    new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true }).buffer,
  ]) {
    const bytes = new Uint8Array(memory, 0, file.length);
    bytes.set(file);
    expect(await readKeras(bytes)).toEqual(expected);
  }
});
