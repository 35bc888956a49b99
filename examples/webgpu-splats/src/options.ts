import { parseArgs } from "node:util";
import type { TrainingOptions } from "./training/training.js";

/** What the command line says. */
export interface Options {
  readonly density: TrainingOptions["density"];
  /** How often each optimizer trains, with other views in each step. */
  readonly runs: number;
  /** The PNG file for the images of the first run. */
  readonly picture: string | undefined;
}

const usage = `\
Usage: pnpm --filter @gradstep/webgpu-splats start [options]

  --density=<control>  adaptive or mcmc (adaptive)
  --runs=<n>           how often each optimizer trains, with other views in each step (1)
  --picture=<file>     write the images of the first run to a PNG file
  --help               print this text
`;

/** What is printed instead of a training. */
export interface Message {
  readonly text: string;
  readonly exitCode: number;
}

export function optionsOf(args: readonly string[]): Options | Message {
  const fault = (text: string): Message => ({ text: `${text}\n\n${usage}`, exitCode: 2 });
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        density: { type: "string", default: "adaptive" },
        runs: { type: "string", default: "1" },
        picture: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    return fault((error as Error).message);
  }
  if (values.help) return { text: usage, exitCode: 0 };
  const { density, picture } = values;
  if (density !== "adaptive" && density !== "mcmc")
    return fault(`--density is ${density}; expected adaptive or mcmc.`);
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1)
    return fault(`--runs is ${values.runs}; expected an integer of at least 1.`);
  return { density, runs, picture };
}
