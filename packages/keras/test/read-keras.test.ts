import { createOptimizer } from "@gradstep/core";
import { oracle } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readKeras } from "../src/index.js";
import { decode, fixture, floatTypes, nextCalls } from "./fixtures.js";

/** Relative to the largest magnitude of the variable. */
const tolerances = { float32: 1e-6, float64: 1e-12 };

describe.each(floatTypes)("%s: continues a model of Keras as Keras does", (floatType) => {
  const cases = Object.entries(nextCalls(floatType));
  test.each(cases)("%s", async (name, { variables, calls }) => {
    const { spec, parameters, state } = await readKeras(fixture(`${name}.${floatType}.keras`));
    const names = Object.keys(parameters);
    expect(names.map((one, i) => variables[i].endsWith(one))).toEqual(variables.map(() => true));
    const backend = floatType === "float32" ? cpuJs() : oracle();
    const tensors = Object.fromEntries(
      Object.entries(parameters).map(([one, { shape, values }]) => [
        one,
        backend.tensor(shape, values as never),
      ]),
    );
    const optimizer = createOptimizer(spec, tensors);
    optimizer.restore(state);
    const Values = floatType === "float32" ? Float32Array : Float64Array;
    let worst = 0;
    for (const { gradients, values } of calls) {
      optimizer.step(
        Object.fromEntries(names.map((one, i) => [one, Values.from(decode(gradients[i]))])) as never,
      );
      for (const [i, one] of names.entries()) {
        const expected = decode(values[i]);
        const got = await tensors[one].read();
        const scale = Math.max(...expected.map(Math.abs));
        expected.forEach((value, k) => {
          worst = Math.max(worst, Math.abs(got[k] - value) / scale);
        });
      }
    }
    console.log(floatType, name, worst.toExponential(2));
    expect(worst).toBeLessThanOrEqual(tolerances[floatType]);
  });
});
