import {
  createOptimizer,
  type Backend,
  type Update,
  type Variant,
  type WrappingBackend,
} from "@gradstep/core";
import { reference } from "@gradstep/core/reference";
import { roundToNearest } from "../bounds/model.js";
import type { Subject } from "../suite/subject.js";

type HostBackend = WrappingBackend<Float32Array>;

/** A backend whose members can be replaced. */
export type Breakable = { -readonly [K in keyof HostBackend]: HostBackend[K] };

/** The f32 reference, which does not claim to be exact: so that nothing but bounds judges its numbers. */
export function breakable(): Breakable {
  const backend = reference() as Breakable;
  backend.exact = false;
  return backend;
}

/** A sound subject, but for what is given. */
export function subject(parts: Partial<Pick<Subject, "backend" | "create">> = {}): Subject {
  return {
    backend: breakable,
    create: createOptimizer,
    model: roundToNearest,
    wrapsArrays: true,
    ...parts,
  };
}

/** What a kernel of the reference does when run. */
export type Run = (updates: readonly Update[], count: number) => void;

/** A backend that does something else when a kernel is run. */
export function withRun(change: (run: Run, variant: Variant) => Run): () => Backend {
  return () => {
    const backend = breakable();
    const compile = backend.compile.bind(backend);
    backend.compile = (variant) => {
      const kernel = compile(variant);
      return { source: kernel.source, run: change(kernel.run.bind(kernel), variant) };
    };
    return backend;
  };
}

/** A backend that changes some of its own members. */
export function withChange(change: (backend: Breakable) => void): () => Backend {
  return () => {
    const backend = breakable();
    change(backend);
    return backend;
  };
}
