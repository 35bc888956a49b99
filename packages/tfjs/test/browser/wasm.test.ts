import { adam, createOptimizer } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import plain from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url";
import simd from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url";
import threads from "@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url";
import { tfOptimizer } from "../../src/index.js";
import { expect, test } from "vitest";
import { numbers, tf, variable } from "../support.js";

test("kernels are WebAssembly in the heap that TF.js's threads share", async () => {
  setWasmPaths({
    "tfjs-backend-wasm.wasm": plain,
    "tfjs-backend-wasm-simd.wasm": simd,
    "tfjs-backend-wasm-threaded-simd.wasm": threads,
  });
  expect(await tf.setBackend("wasm")).toBe(true);
  const { wasm } = tf.backend() as unknown as { wasm: { HEAPU8: Uint8Array } };
  expect(wasm.HEAPU8.buffer).toBeInstanceOf(SharedArrayBuffer);

  const spec = adam({ learningRate: 0.05, epsilon: 1e-3 });
  const w = numbers(3000, 1);
  const parallel = createOptimizer(spec, { w: reference().wrap(w) });
  const v = variable(numbers(3000, 1), [3000], "v");
  const optimizer = tfOptimizer(spec);
  const held: tf.Tensor[] = [];
  for (let step = 0; step < 10; step += 1) {
    const values = numbers(3000, step);
    parallel.step({ w: values });
    const gradient = tf.tensor(values);
    optimizer.applyGradients({ v: gradient });
    gradient.dispose();
    // Makes the memory grow.
    held.push(tf.zeros([1_000_000]));
  }
  expect([...v.dataSync()]).toEqual([...w]);
  optimizer.dispose();
  tf.dispose([v, ...held]);
});
