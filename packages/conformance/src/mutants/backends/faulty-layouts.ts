import type { BatchRun, Update } from "@gradstep/core";
import {
  hostOperations,
  LaidOutUpdates,
  type LayoutOperations,
} from "../../layouts/laid-out-updates.js";
import type { Mutant } from "../mutant.js";
import { mutableReference, target, type MutableBackend } from "../mutable-target.js";
import type { ErrorModel } from "../../bounds/error-model.js";

/** Runs updates, in this order. */
export type RunUpdates = (updates: readonly Update[]) => void;

/** What is wrong with layouts. Each part is sound if it is left out. */
export interface LayoutFaults {
  readonly operations?: Partial<LayoutOperations>;
  /** Runs updates in another way. */
  readonly run?: (updates: readonly Update[], run: RunUpdates) => void;
  /** Whether an error model allows this. */
  readonly isAllowed?: (model: ErrorModel) => boolean;
}

/** The reference with layouts of its own; without faults it has the bits of the reference. */
export function withLayouts({ operations, run = runAsTheyAre }: LayoutFaults): MutableBackend {
  const backend = mutableReference();
  const layouts = new LaidOutUpdates({ ...hostOperations, ...operations });
  const runTogether = backend.runTogether!.bind(backend);
  const compile = backend.compile.bind(backend);
  const runPlain = (runs: readonly BatchRun[]): void => {
    const plain = runs.map(({ updates, count }) => layouts.plain(updates.slice(0, count)));
    runTogether(
      runs.map(({ kernel }, i) => {
        const { updates } = plain[i];
        return { kernel, updates, count: updates.length };
      }),
    );
    for (const { finish } of plain) finish();
  };
  backend.compile = (variant) => {
    const kernel = compile(variant);
    // The same object, which the reference knows.
    return Object.assign(kernel, {
      run: (updates: readonly Update[], count: number) => {
        run(updates.slice(0, count), (changed) => {
          runPlain([{ kernel, updates: changed, count: changed.length }]);
        });
      },
    });
  };
  backend.runTogether = (runs) => {
    runPlain(
      runs.map(({ kernel, updates, count }) => {
        let all = updates;
        run(updates.slice(0, count), (changed) => {
          all = changed;
        });
        return { kernel, updates: all, count: all.length };
      }),
    );
  };
  backend.fillCopy = (parameter, copy) => {
    layouts.fillCopy(parameter, copy);
  };
  return backend;
}

function runAsTheyAre(updates: readonly Update[], run: RunUpdates): void {
  run(updates);
}

/** A backend with a fault in its layouts. */
export function faulty(name: string, { isAllowed, ...faults }: LayoutFaults): Mutant {
  return {
    name,
    kind: "backend",
    group: "layouts",
    ...(isAllowed === undefined ? {} : { isAllowed }),
    target: () => target({ backend: () => withLayouts(faults) }),
  };
}

/** A backend that changes updates before it runs them. */
export function updating(name: string, change: (update: Update) => Update): Mutant {
  return faulty(name, {
    run: (updates, run) => {
      run(updates.map(change));
    },
  });
}
