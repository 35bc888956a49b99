// Runs in workerd, the runtime of Cloudflare Workers: see workerd.full.test.ts.
import { adam, createOptimizer, type Backend, type GradstepError } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
// @ts-expect-error: a module of wasm, which only the runtime can import.
import adamModule from "adam.wasm";
import { isSupported, wasm } from "../../src/index.js";

function expectThat(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`Expected that ${what}`);
}

async function train(backend: Backend): Promise<Float32Array> {
  const weights = backend.tensor(
    [1001],
    Float32Array.from({ length: 1001 }, (_, i) => Math.sin(i)),
  );
  const optimizer = createOptimizer(adam({ learningRate: 0.1, amsgrad: true }), { weights });
  for (let t = 0; t < 20; t += 1)
    optimizer.step({ weights: Float32Array.from({ length: 1001 }, (_, i) => Math.cos(i * t)) });
  return (await weights.read()) as Float32Array;
}

const tests = {
  async test(): Promise<void> {
    expectThat(!isSupported(), "compiling at run time is forbidden here");
    const backend = wasm({ modules: [adamModule as WebAssembly.Module] });
    const [got, expected] = [await train(backend), await train(reference())];
    expectThat(
      got.every((value, i) => value === expected[i]),
      "every bit is the reference's",
    );
    let code = "";
    try {
      await train(wasm());
    } catch (error) {
      ({ code } = error as GradstepError);
    }
    expectThat(code === "UNSUPPORTED", "without modules there is a typed error");
  },
};
// oxlint-disable-next-line import/no-default-export -- what the runtime looks for
export default tests;
