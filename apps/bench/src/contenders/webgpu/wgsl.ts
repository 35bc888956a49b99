import { hyperparameters } from "../../adam.js";
import { gradientKinds } from "../../data.js";
import type { Contender } from "../contender.js";
import { bufferOf, gridOf, readBuffer, usage, type DeviceSource } from "./device.js";

const { learningRate, beta1, beta2, epsilon } = hyperparameters;
const workgroupSize = 256;

/** Algorithm 1 of the paper, line by line, as most people write it: one element per invocation, one dispatch per tensor. */
const shader = /* wgsl */ `
struct Step { learningRate: f32, beta1: f32, beta2: f32, epsilon: f32, correction1: f32, correction2: f32 }
@group(0) @binding(0) var<uniform> s: Step;
@group(0) @binding(1) var<storage, read_write> p: array<f32>;
@group(0) @binding(2) var<storage, read> g: array<f32>;
@group(0) @binding(3) var<storage, read_write> m: array<f32>;
@group(0) @binding(4) var<storage, read_write> v: array<f32>;

@compute @workgroup_size(${workgroupSize})
fn update(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * ${workgroupSize};
  if (i >= arrayLength(&p)) { return; }
  m[i] = s.beta1 * m[i] + (1 - s.beta1) * g[i];
  v[i] = s.beta2 * v[i] + (1 - s.beta2) * g[i] * g[i];
  let mHat = m[i] / s.correction1;
  let vHat = v[i] / s.correction2;
  p[i] = p[i] - s.learningRate * mHat / (sqrt(vHat) + s.epsilon);
}`;

/** The shader that most people write. */
export const wgsl = (deviceOf: DeviceSource): Contender => ({
  name: "wgsl",
  description: "the textbook shader: one dispatch per tensor, one submit per step",
  start: async ({ gradients, parameters: copy }) => {
    const device = await deviceOf();
    const module = device.createShaderModule({ code: shader });
    const compute = { module, entryPoint: "update" };
    const pipeline = device.createComputePipeline({ layout: "auto", compute });
    const uniform = device.createBuffer({ size: 32, usage: usage.UNIFORM | usage.COPY_DST });
    const arrays = copy();
    const zeros = (): GPUBuffer[] =>
      arrays.map(({ length }) => bufferOf(device, new Float32Array(length)));
    const p = arrays.map((values) => bufferOf(device, values));
    const g = gradients.map((kind) => kind.map((values) => bufferOf(device, values)));
    const [m, v] = [zeros(), zeros()];
    const bound = g.map((kind) =>
      kind.map((gradient, i) =>
        device.createBindGroup({
          layout: pipeline.getBindGroupLayout(0),
          entries: [uniform, p[i], gradient, m[i], v[i]].map((buffer, binding) => ({
            binding,
            resource: { buffer },
          })),
        }),
      ),
    );
    const shapes = arrays.map(({ length }) => gridOf(device, Math.ceil(length / workgroupSize)));
    let t = 0;
    return {
      step: () => {
        const bindGroups = bound[t % gradientKinds];
        t += 1;
        const values = [learningRate, beta1, beta2, epsilon, 1 - beta1 ** t, 1 - beta2 ** t];
        device.queue.writeBuffer(uniform, 0, Float32Array.from(values));
        const encoder = device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        shapes.forEach(({ x, y }, i) => {
          pass.setBindGroup(0, bindGroups[i]);
          pass.dispatchWorkgroups(x, y);
        });
        pass.end();
        device.queue.submit([encoder.finish()]);
      },
      waitUntilDone: () => device.queue.onSubmittedWorkDone().then(() => undefined),
      read: () => Promise.all(p.map((buffer) => readBuffer(device, buffer))),
      stateBytes: async () => [...m, ...v].reduce((sum, { size }) => sum + size, 0),
      dispose: () => {
        for (const buffer of [uniform, ...p, ...g.flat(), ...m, ...v]) buffer.destroy();
      },
    };
  },
});
