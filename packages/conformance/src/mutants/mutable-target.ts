import {
  createOptimizer,
  type Backend,
  type Update,
  type Variant,
  type WrappingBackend,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { roundToNearest } from "../bounds/error-model.js";
import type { Target } from "../suite/check.js";

type HostBackend = WrappingBackend<Float32Array>;

/** A backend whose members can be replaced. */
export type MutableBackend = { -readonly [K in keyof HostBackend]: HostBackend[K] };

/** The f32 reference, declared as not exact, so that only bounds check its numbers. */
export function mutableReference(): MutableBackend {
  const backend = reference() as MutableBackend;
  backend.exact = false;
  return backend;
}

/** A target without a bug, except in the given parts. */
export function target(parts: Partial<Pick<Target, "backend" | "create">> = {}): Target {
  return {
    backend: mutableReference,
    create: createOptimizer,
    model: roundToNearest,
    wrapsArrays: true,
    ...parts,
  };
}

/** What a kernel does when it runs. */
export type Run = (updates: readonly Update[], count: number) => void;

/** A backend whose kernels run something else, unless an update has layouts, copies, activations or a mask in a tensor. */
export function withRun(change: (run: Run, variant: Variant) => Run): () => Backend {
  return () => {
    const backend = mutableReference();
    const compile = backend.compile.bind(backend);
    backend.compile = (variant) => {
      const kernel = compile(variant);
      const sound = kernel.run.bind(kernel);
      const changed = change(sound, variant);
      const run: Run = (updates, count) => {
        if (updates.slice(0, count).every(isPlain)) changed(updates, count);
        else sound(updates, count);
      };
      // The same object, which the backend knows. Rules that run together run as they are.
      return Object.assign(kernel, { run });
    };
    return backend;
  };
}

/** A backend with some members replaced. */
export function withChange(change: (backend: MutableBackend) => void): () => Backend {
  return () => {
    const backend = mutableReference();
    change(backend);
    return backend;
  };
}

function isPlain(update: Update): boolean {
  const { parameter, gradient, slots, copies, gradientActivation, clearsGradient, mask } = update;
  return (
    [parameter, gradient, ...slots].every(({ layout }) => layout === undefined) &&
    (mask === undefined || ArrayBuffer.isView(mask)) &&
    copies.length === 0 &&
    gradientActivation === undefined &&
    !clearsGradient
  );
}
