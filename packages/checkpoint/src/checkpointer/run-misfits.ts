import type { Misfit } from "@gradstep/core";
import type { Checkpoint } from "../checkpoint-file/checkpoint.js";
import type { CheckpointedRun } from "./checkpointed-run.js";

/** What of a checkpoint does not fit a run, apart from the state of the optimizer. */
export function misfitsOfRun(
  { parameters, others }: CheckpointedRun,
  checkpoint: Checkpoint,
): readonly Misfit[] {
  return [
    ...misfitsOfNames("parameters", parameters, checkpoint.parameters),
    ...misfitsOfShapes(parameters, checkpoint.parameters),
    ...misfitsOfNames("others", others, checkpoint.others),
  ];
}

/** Names that only the run or only the checkpoint has. */
function misfitsOfNames(
  part: "parameters" | "others",
  here: object,
  saved: object,
): readonly Misfit[] {
  const misfit = (name: string, got: string, expected: string, remedy: string): Misfit => {
    const path = `${part}.${name}`;
    const message = `${path} is ${got} in the checkpoint; expected ${expected}. ${remedy}`;
    return { kind: part === "parameters" ? "parameter" : "format", path, got, expected, message };
  };
  const same = `Give the checkpointer the same ${part} as when it saved.`;
  return [
    ...Object.keys(here)
      .filter((name) => !Object.hasOwn(saved, name))
      .map((name) => misfit(name, "missing", "its values, since it is here", same)),
    ...Object.keys(saved)
      .filter((name) => !Object.hasOwn(here, name))
      .map((name) => misfit(name, "present", "nothing, since it is not here", same)),
  ];
}

function misfitsOfShapes(
  parameters: CheckpointedRun["parameters"],
  saved: Checkpoint["parameters"],
): readonly Misfit[] {
  return Object.entries(parameters).flatMap(([name, { shape }]) => {
    if (!Object.hasOwn(saved, name)) return [];
    const [got, expected] = [saved[name].shape, shape].map((one) => JSON.stringify(one));
    const path = `parameters.${name}`;
    const message = `${path} has shape ${got} in the checkpoint; expected ${expected}. Give the parameter the shape that it has in the checkpoint.`;
    return got === expected ? [] : [{ kind: "shape" as const, path, got, expected, message }];
  });
}
