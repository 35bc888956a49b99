import { adamw, chain, clipByGlobalNorm, createOptimizer, type StepOptions } from "@gradstep/core";
import { webgpu } from "@gradstep/webgpu";

// Deno runs this program. Its WebGPU is wgpu: scale, skip and learning rate from a buffer have the bits of numbers.
const backend = await webgpu();
const { device } = backend;
const buffer = device.createBuffer({ size: 12, usage: 0x80 | 0x04 | 0x08 });
const signals = {
  scale: backend.wrap(buffer, { shape: [1], offset: 0 }),
  skip: backend.wrap(buffer, { shape: [1], offset: 1, dtype: "u32" }),
  learningRate: backend.wrap(buffer, { shape: [1], offset: 2 }),
};
const sizes = [40, 3];

function trainer() {
  const parameters = sizes.map((size, i) => backend.tensor([size], new Float32Array(size).fill(i)));
  const [w, b] = parameters;
  const structs = device.createBuffer({ size: sizes[0] * 8, usage: 0x80 | 0x04 | 0x08 });
  device.queue.writeBuffer(
    structs,
    0,
    Int32Array.from({ length: 2 * sizes[0] }, (_, i) => i - 40),
  );
  const layout = { shape: [sizes[0]], rowStride: 2, dtype: "i32", scale: 0.25 } as const;
  const gradients = {
    w: backend.wrap(structs, layout),
    b: backend.tensor([sizes[1]], [1, -2, 3]),
  };
  const optimizer = createOptimizer(chain(clipByGlobalNorm(), adamw()), { w, b });
  return {
    step: (options: StepOptions): void => optimizer.step(gradients, options),
    bits: async (): Promise<readonly number[]> => {
      const tensors = [...parameters, gradients.w, gradients.b];
      const values = await Promise.all(tensors.map((tensor) => tensor.read()));
      return values.flatMap((one) => [...new Uint32Array(Float32Array.from(one).buffer)]);
    },
  };
}

const [onDevice, onHost] = [trainer(), trainer()];
const steps = [
  { scale: 0.5, learningRate: 0.25, clear: false },
  { scale: 4, learningRate: 0.125, clear: true },
];
let different = 0;

/** Takes a step with signals in the buffer, and counts the words that are not as expected. */
async function compare(
  { scale, learningRate, clear }: (typeof steps)[number],
  skip: number,
  expectedOf: () => Promise<readonly number[]>,
): Promise<void> {
  device.queue.writeBuffer(buffer, 0, Float32Array.of(scale, 0, learningRate));
  device.queue.writeBuffer(buffer, 4, Uint32Array.of(skip));
  onDevice.step({ ...signals, clear });
  const [actual, expected] = [await onDevice.bits(), await expectedOf()];
  different += actual.filter((word, i) => word !== expected[i]).length;
}

for (const step of steps) {
  onHost.step(step);
  await compare(step, 0, () => onHost.bits());
}
const before = await onDevice.bits();
await compare(steps[0], 7, () => Promise.resolve(before));
console.log(JSON.stringify({ different }));
backend.dispose();
