import { GradstepError } from "@gradstep/core";
import { readInto } from "@gradstep/core/internal";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import type { CheckpointMemory } from "../checkpoint-file/checkpoint-memory.js";
import { checkParameterNames } from "./check-run.js";
import type { CheckpointedRun } from "./checkpointed-run.js";

/**
 * Copies everything as it is at the time of the call, on GPUs at this point of the queue; what is called afterwards does
 * not change it.
 * @param reuse a snapshot that is no longer needed. Memory that is new to a process is slow to write to: on a virtual machine, a
 * copy into it can take ten times as long and more
 * @throws {GradstepError} `INVALID_PARAMETER`, `UNSUPPORTED`, and as the parts of the run do
 */
export async function takeSnapshot(
  run: CheckpointedRun,
  reuse?: CheckpointMemory,
): Promise<Checkpoint> {
  const { optimizer, parameters, others } = run;
  checkParameterNames(run);
  // Everything is asked for before the first await, so that all of it is of the same moment.
  const shapes = Object.entries(parameters).map(([name, { shape }]) => [name, [...shape]] as const);
  // Async functions, so that what throws at once leaves no rejection of another one unhandled.
  const reading = Object.entries(parameters).map(async ([name, parameter]) =>
    readInto(parameter, reuse?.parameters[name]?.values),
  );
  const stating = (async () => optimizer.state({ reuse: reuse?.optimizer }))();
  const otherStates = Object.entries(others).map(
    async ([name, one]) => [name, stateOf(name, await one.state())] as const,
  );
  const [values, state, ...otherEntries] = await Promise.all([
    Promise.all(reading),
    stating,
    ...otherStates,
  ]);
  return {
    parameters: Object.fromEntries(
      shapes.map(([name, shape], i) => [name, { shape, values: values[i] }]),
    ),
    optimizer: state,
    others: Object.fromEntries(otherEntries),
  };
}

/** @throws {GradstepError} `UNSUPPORTED` for undefined, which is not stored: the checkpoint could not be restored */
function stateOf(name: string, state: unknown): unknown {
  if (state !== undefined) return state;
  throw new GradstepError(
    `others.${name}.state() gave undefined; expected plain data, such as null if there is no state.`,
    { code: "UNSUPPORTED" },
  );
}
