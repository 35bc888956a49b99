import type { Kernel, StepSignals, Tensor, Update } from "../src/backend/backend.js";
import { storedValues } from "../src/backend/stored-values.js";
import { guarding, type DeviceBackend } from "./guarding-backend.js";

/** A device whose kernels take the scale, the skip flag and the learning rate of a step. */
export function takingSignals(): DeviceBackend {
  const backend = guarding();
  const compile = backend.compile.bind(backend);
  const kernels = new WeakSet<Kernel>();
  const onDevice = (work: () => void): void => backend.submit([work]);
  return Object.assign(backend, {
    takesSignals: true,
    compile: (variant: Parameters<typeof compile>[0]) => {
      const kernel = compile(variant);
      if (kernels.has(kernel)) return kernel;
      kernels.add(kernel);
      const run = kernel.run.bind(kernel);
      const withSignals = (updates: readonly Update[], count: number): void =>
        onDevice(() => {
          const all = updates.slice(0, count);
          if (all.some(({ signals }) => isSkipped(signals))) return;
          const changed = all.map((update) => signalled(backend, update));
          run(changed, count);
          all.forEach((update) => {
            if (update.clearsGradient) storedValues(update.gradient).fill(0);
          });
        });
      Object.defineProperty(kernel, "run", { value: withSignals });
      return kernel;
    },
  });
}

function isSkipped(signals: StepSignals | undefined): boolean {
  return signals?.skip !== undefined && first(signals.skip) !== 0;
}

const first = (tensor: Tensor): number => storedValues(tensor)[0];

/** An update without signals that does the same. */
function signalled(backend: DeviceBackend, update: Update): Update {
  const { signals, gradient } = update;
  if (signals === undefined) return update;
  const { scale, learningRate, slopes } = signals;
  const factor = Math.fround(typeof scale === "number" ? scale : first(scale));
  const rate = learningRate === undefined ? 0 : first(learningRate);
  return {
    ...update,
    signals: undefined,
    clearsGradient: false,
    gradient: backend.tensor(
      gradient.shape,
      Float32Array.from(storedValues(gradient), (value) => value * factor),
    ),
    scalars: update.scalars.map((value, i) =>
      learningRate === undefined ? value : value + rate * slopes[i],
    ),
  };
}
