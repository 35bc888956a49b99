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
