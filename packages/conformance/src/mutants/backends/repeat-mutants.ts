import type { Kernel, Update } from "@gradstep/core";
import type { Mutant } from "../mutant.js";
import { mutableReference, target, type Run } from "../mutable-target.js";

/** The last run on a backend. */
interface LastRun {
  readonly updates: readonly Update[];
  readonly count: number;
  /** The updates as they were. */
  readonly copies: readonly Update[];
}

/** A backend whose kernels repeat runs in this way. */
function repeating(
  name: string,
  repeater: (last: LastRun, updates: readonly Update[], run: Run) => (() => void) | undefined,
): Mutant {
  const backend = () => {
    const broken = mutableReference();
    const compile = broken.compile.bind(broken);
    let last: LastRun | undefined;
    broken.compile = (variant) => {
      const kernel = compile(variant);
      const run = kernel.run.bind(kernel);
      const changed: Pick<Kernel, "run" | "repeater"> = {
        run: (updates, count) => {
          run(updates, count);
          const copies = updates
            .slice(0, count)
            .map((update) => ({ ...update, scalars: update.scalars.slice() }));
          last = { updates, count, copies };
        },
        repeater: (updates) => last && repeater(last, updates, run),
      };
      // The same object, which the backend knows.
      return Object.assign(kernel, changed);
    };
    return broken;
  };
  return { name, kind: "backend", target: () => target({ backend }) };
}

const areLive = (updates: readonly Update[]): boolean =>
  updates.every(({ parameter, gradient }) => !parameter.freed && !gradient.freed);

/** Steps that are mistaken for a repetition of the last one, or repeat it wrongly. */
export const repeatMutants: readonly Mutant[] = [
  repeating("a repeated step has the scalars of the one before", ({ updates, copies }, now, run) =>
    updates === now && areLive(copies) ? () => run(copies, copies.length) : undefined,
  ),
  repeating("a repeated step has the first group's scalars for all", (last, now, run) => {
    const { updates, count } = last;
    if (updates !== now || !areLive(updates.slice(0, count))) return undefined;
    return () =>
      run(
        updates.slice(0, count).map((update) => ({ ...update, scalars: updates[0].scalars })),
        count,
      );
  }),
  repeating("the last run of any optimizer is repeated", ({ updates, count }, _, run) =>
    areLive(updates.slice(0, count)) ? () => run(updates, count) : undefined,
  ),
  repeating("a step is repeated with tensors that were freed", ({ updates, count }, now, run) =>
    updates === now ? () => run(updates, count) : undefined,
  ),
  repeating("a repeated step lacks the last update", ({ updates, count }, now, run) =>
    updates === now && areLive(updates.slice(0, count))
      ? () => run(updates, Math.max(1, count - 1))
      : undefined,
  ),
];

/** A backend that repeats runs correctly. */
export const soundRepeats = repeating("sound", ({ updates, count }, now, run) =>
  updates === now && areLive(updates.slice(0, count)) ? () => run(updates, count) : undefined,
);
