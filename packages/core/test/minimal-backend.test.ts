// A backend with nothing but what every backend has to have.
import { describe, expect, test } from "vitest";
import type { Backend, Kernel, StagingTensor, Tensor, Update } from "../src/backend/backend.js";
import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  ema,
  newRow,
  sgd,
  type Optimizer,
  type OptimizerOptions,
  type OptimizerSpec,
} from "../src/index.js";
import { reference } from "../src/reference.js";
import { codeOf, numbers } from "./support.js";

/** The reference, of which a tensor shows no values and a kernel only runs. */
function minimal(): Backend {
  const host = reference();
  const hosts = new WeakMap<Tensor, Tensor>();
  const kernels = new WeakMap<Kernel, Kernel>();
  const around = (tensor: Tensor): Tensor => {
    const { shape, size, memory } = tensor;
    const one: Tensor = {
      backend,
      shape,
      size,
      memory,
      get freed() {
        return tensor.freed;
      },
      write: (values) => tensor.write(values),
      read: () => tensor.read(),
      free: () => tensor.free(),
    };
    hosts.set(one, tensor);
    return one;
  };
  const ofHost = (tensor: Tensor): Tensor => hosts.get(tensor)!;
  const open = (update: Update): Update => ({
    ...update,
    parameter: ofHost(update.parameter),
    gradient: ofHost(update.gradient),
    slots: update.slots.map(ofHost),
  });
  const backend: Backend = {
    name: "minimal",
    precision: "f32",
    exact: true,
    tensor: (shape, values) => around(host.tensor(shape, values)),
    staging: (shape): StagingTensor => {
      const staging = host.staging(shape);
      return Object.assign(around(staging), {
        stage: (values: Float32Array) => staging.stage(values),
      });
    },
    compile: (variant) => {
      const kernel = host.compile(variant);
      const known = kernels.get(kernel) ?? {
        source: kernel.source,
        run: (updates, count) => kernel.run(updates.slice(0, count).map(open), count),
      };
      kernels.set(kernel, known);
      return known;
    },
  };
  return backend;
}

const gradients = (step: number): Record<string, Float32Array> => ({
  w: numbers(6, step),
  b: numbers(3, 100 + step),
});

function start(backend: Backend, spec: OptimizerSpec, options: OptimizerOptions = {}) {
  const tensors: Record<string, Tensor> = {
    w: backend.tensor([3, 2], numbers(6, 7)),
    b: backend.tensor([3], numbers(3, 8)),
  };
  const optimizer = createOptimizer(spec, tensors, options) as Optimizer;
  return { tensors, optimizer };
}

type Started = ReturnType<typeof start>;

async function content({ tensors, optimizer }: Started): Promise<unknown> {
  const values = Object.values(tensors).map((one) => one.read());
  return structuredClone([await Promise.all(values), await optimizer.state()]);
}

const groups = [{ match: "b", every: 2, learningRate: 0.5 }];

test.each<[string, OptimizerSpec, OptimizerOptions]>([
  ["a rule", adam(), {}],
  ["groups, one of which takes part in every other step", adam(), { groups }],
  ["a group with a rule", adam(), { groups: [{ match: "b", rule: sgd({ momentum: 0.9 }) }] }],
  ["a chain with a reduction", chain(clipByGlobalNorm({ globalClipNorm: 0.1 }), adamw()), {}],
  ["several calls per step", adam(), { accumulate: 2 }],
])("it trains as the reference does: %s", async (_, spec, options) => {
  const contents = await Promise.all(
    [minimal(), reference()].map(async (backend) => {
      const one = start(backend, spec, options);
      const { optimizer, tensors } = one;
      for (let i = 0; i < 4; i += 1) optimizer.step(gradients(i));
      const state = structuredClone(await optimizer.state());
      // With tensors of gradients, and some of the parameters.
      for (let i = 4; i < 8; i += 1) {
        const { w, b } = gradients(i);
        optimizer.gradient("w").write(w);
        optimizer.step({ w: optimizer.gradient("w"), ...(i % 2 === 0 && { b }) });
      }
      const trained = await content(one);
      optimizer.reset("b");
      const reset = await content(one);
      optimizer.restore(state);
      const restored = await content(one);
      tensors.c = backend.tensor([2], [1, 2]);
      optimizer.add({ c: tensors.c });
      optimizer.remove("b");
      for (let i = 8; i < 10; i += 1) optimizer.step({ w: numbers(6, i), c: numbers(2, i) });
      const changed = await content(one);
      const reused = await optimizer.state({ reuse: structuredClone(await optimizer.state()) });
      expect(reused).toEqual(await optimizer.state());
      const config = optimizer.config();
      const metrics = await optimizer.metrics();
      optimizer.dispose();
      expect(tensors.w.freed).toBe(false);
      return { trained, reset, restored, changed, config, metrics };
    }),
  );
  expect(contents[0]).toEqual(contents[1]);
});

describe("it refuses what it cannot do, and nothing changes", () => {
  const mask = Uint32Array.of(1, 0, 1);
  const sparse = { indices: Uint32Array.of(2), values: numbers(2, 1) };
  test.each<[string, (one: Started) => unknown]>([
    ["a mask", ({ optimizer }) => optimizer.step(gradients(1), { rows: mask })],
    ["a remap", ({ optimizer }) => optimizer.rows().remap(Uint32Array.of(1, newRow))],
    ["rows to reset", ({ optimizer }) => optimizer.reset("w", { rows: mask })],
    ["a lazy step", ({ optimizer }) => optimizer.step({ w: sparse })],
    ["an encoder", ({ optimizer }) => optimizer.encode({}, gradients(1))],
    ["a loss scale", ({ tensors }) => createOptimizer(adam(), tensors, { lossScale: 8 })],
    ["a slot with copies", ({ tensors }) => createOptimizer(chain(sgd(), ema()), tensors)],
  ])("%s", async (_, call) => {
    const one = start(minimal(), adam(), { sparse: "lazy" });
    one.optimizer.step(gradients(0));
    const before = await content(one);
    expect(codeOf(() => call(one))).toBe("UNSUPPORTED");
    expect(await content(one)).toEqual(before);
  });
});
