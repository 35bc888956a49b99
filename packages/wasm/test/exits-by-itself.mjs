// Exits by itself although its backend is alive. Run by threads.test.ts, on the build.
import { createOptimizer, sgd } from "@gradstep/core";
import { wasm } from "../dist/index.js";

const backend = wasm({ threads: 3 });
await backend.ready();
const w = backend.tensor([400_000], new Float32Array(400_000).fill(1));
const optimizer = createOptimizer(sgd({ learningRate: 0.0001 }), { w });
for (let i = 0; i < 10; i += 1) {
  optimizer.step({ w: new Float32Array(400_000).fill(1) });
  await new Promise((resolve) => setTimeout(resolve, 20));
}
const [value] = await w.read();
console.log(value.toFixed(3), JSON.stringify(backend.diagnostics));
