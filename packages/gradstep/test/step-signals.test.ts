import {
  adam,
  adamw,
  chain,
  clipByGlobalNorm,
  createOptimizer,
  sgd,
  type Backend,
  type OptimizerOptions,
  type OptimizerSpec,
  type Tensor,
} from "gradstep";
import { cpuJs } from "@gradstep/cpu-js";
import { reference } from "@gradstep/core/reference";
import { wasm } from "@gradstep/wasm";
import { describe, expect, test } from "vitest";

const backends = {
  reference,
  "cpu-js": () => cpuJs(),
  "cpu-js, exact": () => cpuJs({ exact: true }),
  wasm: () => wasm(),
};

const sizes = { w: 37, b: 1 };

function gradientsOf(step: number, scale = 1): { w: Float32Array; b: Float32Array } {
  const value = (_: unknown, i: number): number =>
    Math.fround(Math.fround(Math.sin(7 * i + step)) * Math.fround(scale));
  return {
    w: Float32Array.from({ length: sizes.w }, value),
    b: Float32Array.from({ length: sizes.b }, value),
  };
}

describe.each(Object.entries(backends))("%s", (_, makeBackend) => {
  const specs: Readonly<Record<string, OptimizerSpec>> = {
    adam: adam(),
    chain: chain(clipByGlobalNorm(), adamw()),
  };
  const options: Readonly<Record<string, OptimizerOptions>> = {
    plain: {},
    accumulated: { accumulate: 2 },
    "with a loss scale": { lossScale: 4 },
  };
  for (const [rule, spec] of Object.entries(specs))
    for (const [kind, option] of Object.entries(options))
      test(`${rule}, ${kind}: a scale has the bits of scaled gradients`, async () => {
        const backend: Backend = await Promise.resolve(makeBackend());
        const optimizers = [0, 1].map(() => {
          const tensors: Record<string, Tensor> = {
            w: backend.tensor([sizes.w], gradientsOf(9).w),
            b: backend.tensor([]),
          };
          return { tensors, optimizer: createOptimizer(spec, tensors, option) };
        });
        const [one, other] = optimizers;
        const gradient = one.optimizer.gradient("w");
        for (let step = 0; step < 6; step += 1) {
          const scale = step === 3 ? 1 : 0.3 * (step + 1);
          const { w, b } = gradientsOf(step);
          gradient.write(w);
          const tensor = backend.tensor([1], [scale]);
          one.optimizer.step({ w: gradient, b }, { scale: step % 2 === 0 ? scale : tensor });
          expect(await gradient.read()).toEqual(w);
          other.optimizer.step(gradientsOf(step, scale));
          for (const name of ["w", "b"])
            expect(await one.tensors[name].read()).toEqual(await other.tensors[name].read());
        }
        for (const { optimizer } of optimizers) optimizer.dispose();
        backend.dispose?.();
      });

  test("integers in structs: decoded, scaled, then the chain rule; cleared", async () => {
    const backend = makeBackend();
    const structs = Int32Array.from({ length: 4 * 5 }, (_, i) => 7 * i - 61);
    const before = structs.slice();
    const layout = { shape: [4, 2], offset: 1, rowStride: 5, dtype: "i32", scale: 0.1 } as const;
    const g = backend.wrap(structs, layout);
    const values = Float32Array.from({ length: 8 }, (_, i) => 0.3 * i - 1);
    const w = backend.tensor([4, 2], values);
    const activatedGradients = { w: { kind: "affine", scale: 3, offset: 1 } } as const;
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w }, { activatedGradients });
    const scale = backend.tensor([], [0.7]);
    optimizer.step({ w: g }, { scale, clear: true });
    const f = Math.fround;
    const expected = values.map((p, i) => {
      const stored = before[1 + 5 * Math.floor(i / 2) + (i % 2)];
      const decoded = f(stored * f(0.1));
      return f(p - f(f(decoded * f(0.7)) * 3));
    });
    expect(await w.read()).toEqual(expected);
    const isField = (i: number): boolean => i % 5 === 1 || i % 5 === 2;
    expect(structs).toEqual(before.map((value, i) => (isField(i) ? 0 : value)));
    optimizer.dispose();
    backend.dispose?.();
  });

  test("a step whose skip is not 0 clears gradients, and changes nothing else", async () => {
    const backend = makeBackend();
    const flags = Uint32Array.of(9, 0);
    const skip = backend.wrap(flags, { shape: [1], offset: 1, dtype: "u32" });
    const w = backend.tensor([2], [1, 2]);
    const g = backend.tensor([2]);
    const optimizer = createOptimizer(sgd({ learningRate: 1 }), { w });
    for (const flag of [1, 0]) {
      g.write([0.5, 0.25]);
      flags[1] = flag;
      optimizer.step({ w: g }, { skip, clear: true });
      expect([...(await g.read())]).toEqual([0, 0]);
      expect([...(await w.read())]).toEqual(flag === 1 ? [1, 2] : [0.5, 1.75]);
    }
    expect(optimizer.iterations).toBe(2);
    optimizer.dispose();
    backend.dispose?.();
  });

  test("memory of scaled gradients follows the rows", async () => {
    const backend: Backend = await Promise.resolve(makeBackend());
    const w = backend.tensor([2, 2], [1, 2, 3, 4]);
    const optimizer = createOptimizer(adam(), { w });
    const plain = createOptimizer(adam(), { v: backend.tensor([2, 2], [1, 2, 3, 4]) });
    optimizer.step({ w: Float32Array.of(1, 2, 3, 4) }, { scale: 2 });
    optimizer.rows().remap(Uint32Array.of(1, 0, 0));
    plain.step({ v: Float32Array.of(2, 4, 6, 8) });
    plain.rows().remap(Uint32Array.of(1, 0, 0));
    optimizer.step({ w: Float32Array.of(1, 2, 3, 4, 5, 6) }, { scale: 2 });
    plain.step({ v: Float32Array.of(2, 4, 6, 8, 10, 12) });
    const [a, b] = await Promise.all([optimizer.state(), plain.state()]);
    expect(Object.values(a.slots.w)).toEqual(Object.values(b.slots.v));
    optimizer.dispose();
    plain.dispose();
    backend.dispose?.();
  });
});
