import { GradstepError } from "@gradstep/core";
import { golden } from "./golden.js";
import { mutants } from "./mutants.js";
import { parseOptions, type Options } from "./options.js";
import { help, UsageError } from "./usage.js";
import { verify } from "./verify.js";

/**
 * Runs the command line tool and returns its exit status. Results go to standard output; a wrong command line is one
 * line on standard error.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    return await run(parseOptions(args));
  } catch (error) {
    const isUsage =
      error instanceof UsageError ||
      (error instanceof GradstepError && ["INVALID_FILE", "UNKNOWN_OPTION"].includes(error.code));
    // A backend that cannot start here says why. Anything else is a defect, whose stack is needed.
    if (!isUsage && !(error instanceof GradstepError)) throw error;
    process.stderr.write(`${error.message}\n`);
    return isUsage ? 2 : 1;
  }
}

async function run(options: Options): Promise<number> {
  switch (options.command) {
    case "help":
      process.stdout.write(help);
      return 0;
    case "golden":
      return golden(options);
    case "verify":
      return verify(options);
    case "mutants":
      return mutants(options);
  }
}
