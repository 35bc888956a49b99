import { readdirSync, readFileSync } from "node:fs";
import { createOptimizer, type Backend, type OptimizerMethods, type Tensor } from "@gradstep/core";
import { oracle, reference } from "@gradstep/core/reference";
import { cpuJs } from "@gradstep/cpu-js";
import { describe, expect, test } from "vitest";
import { readTorch, type TorchCheckpoint } from "../../src/bridges/torch/index.js";

type NamedValues = Readonly<Record<string, readonly number[]>>;

const folder = new URL("../fixtures/torch/", import.meta.url);
const read = (name: string): Buffer => readFileSync(new URL(name, folder));
const json = <T>(name: string): T => JSON.parse(read(name).toString()) as T;

/** The gradients of the steps after a file was saved. */
const gradients = json<readonly NamedValues[]>("gradients.json");

interface Run {
  readonly optimizer: OptimizerMethods<string>;
  readonly parameters: Readonly<Record<string, Tensor>>;
}

/** An optimizer that continues from a checkpoint. */
function resume({ spec, parameters: values, state }: TorchCheckpoint, backend: Backend): Run {
  const parameters = Object.fromEntries(
    Object.entries(values).map(([name, one]) => [name, backend.tensor(one.shape, one.values)]),
  );
  const optimizer = createOptimizer(spec, parameters) as OptimizerMethods<string>;
  optimizer.restore(state);
  return { optimizer, parameters };
}

function step({ optimizer }: Run, values: NamedValues, isDouble: boolean): void {
  const frozen = optimizer.groups.flatMap((group) => (group.frozen ? group.parameters : []));
  optimizer.step(
    Object.fromEntries(
      optimizer.parameters
        .filter((name) => !frozen.includes(name))
        .map((name) => {
          // The file has as many digits as an f32 needs.
          const gradient = Float32Array.from(values[name]);
          return [name, isDouble ? Float64Array.from(gradient) : gradient];
        }),
    ),
  );
}

/**
 * The largest difference from PyTorch in any value of any step, relative to the largest magnitude that the element has
 * had: a value that passes through zero keeps the rounding errors of larger ones.
 */
async function worstDifference(
  run: Run,
  expected: readonly NamedValues[],
  isDouble: boolean,
): Promise<number> {
  const names = Object.keys(run.parameters);
  const scales = new Map<string, Float64Array>();
  for (const name of names)
    scales.set(name, Float64Array.from(await run.parameters[name].read(), Math.abs));
  let worst = 0;
  for (const [i, values] of expected.entries()) {
    step(run, gradients[i], isDouble);
    for (const name of names) {
      const got = await run.parameters[name].read();
      const scale = scales.get(name)!;
      values[name].forEach((value, k) => {
        const wanted = isDouble ? value : Math.fround(value);
        scale[k] = Math.max(scale[k], Math.abs(wanted));
        const difference = Math.abs(got[k] - wanted);
        worst = Math.max(worst, difference === 0 ? 0 : difference / scale[k]);
      });
    }
  }
  return worst;
}

const names = readdirSync(folder)
  .filter((name) => name.endsWith("-f32.safetensors"))
  .map((name) => name.replace("-f32.safetensors", ""));

describe("files of PyTorch 2.13: the next ten steps", () => {
  test.each(names)("%s in f64", async (name) => {
    const checkpoint = await readTorch(read(`${name}-f64.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f64.json`);
    const worst = await worstDifference(resume(checkpoint, oracle()), expected, true);
    expect(worst).toBeLessThan(1e-12);
  });

  test.each(names)("%s in f32", async (name) => {
    const checkpoint = await readTorch(read(`${name}-f32.safetensors`));
    const expected = json<readonly NamedValues[]>(`${name}-f32.json`);
    for (const backend of [reference(), cpuJs()]) {
      const worst = await worstDifference(resume(checkpoint, backend), expected, false);
      expect(worst).toBeLessThan(1e-6);
    }
  });
});
