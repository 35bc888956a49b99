import type { Backend, BatchRun, Kernel, Update, Variant } from "@gradstep/core";
import { reference } from "@gradstep/core/reference";

/** The updates of one rule in a step. */
export interface RecordedRun {
  readonly variant: Variant;
  readonly updates: readonly Update[];
}

/** The f32 reference, whose kernels record what they are asked to run. */
export interface RecordingReference {
  readonly backend: Backend;
  /** What was compiled. */
  variants(): readonly Variant[];
  /** What was asked for since the last call: runs that belong together, in the order of the calls. */
  take(): readonly (readonly RecordedRun[])[];
  /** Runs what was recorded. */
  execute(runs: readonly RecordedRun[]): void;
}

/** A reference that runs nothing until it is told to. */
export function recordingReference(): RecordingReference {
  const backend: Backend = reference();
  const compile = backend.compile.bind(backend);
  const runTogether = backend.runTogether!.bind(backend);
  const variants = new Map<Kernel | undefined, Variant>();
  const kernels = new Map<Variant, Kernel>();
  let recorded: (readonly RecordedRun[])[] = [];
  const recordedOf = ({ kernel, updates, count }: BatchRun): RecordedRun => ({
    variant: variants.get(kernel)!,
    updates: updates.slice(0, count),
  });
  backend.compile = (variant) => {
    const kernel: Kernel = {
      source: "",
      run: (updates, count) => recorded.push([recordedOf({ kernel, updates, count })]),
    };
    variants.set(kernel, variant);
    kernels.set(variant, compile(variant));
    return kernel;
  };
  backend.runTogether = (runs) => {
    recorded.push(runs.map(recordedOf));
  };
  return {
    backend,
    variants: () => [...kernels.keys()],
    take: () => {
      const taken = recorded;
      recorded = [];
      return taken;
    },
    execute: (runs) => {
      runTogether(
        runs.map(({ variant, updates }) => ({
          kernel: kernels.get(variant),
          updates,
          count: updates.length,
        })),
      );
    },
  };
}
