import { adam, createOptimizer } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu/node";

async function main(): Promise<void> {
  const backend = await webgpu();
  const w = backend.tensor([4], [0.5, 0.5, 0.5, 0.5]);
  createOptimizer(adam({ learningRate: 0.1 }), { w }).step({ w: new Float32Array(4).fill(0.25) });
  const values = await w.read();
  process.stdout.write(values[3].toFixed(5), () => process.exit(0));
}

void main();
