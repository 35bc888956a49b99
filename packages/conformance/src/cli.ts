#!/usr/bin/env node
import { GradstepError } from "@gradstep/core";
import { golden } from "./cli/golden.js";
import { mutants } from "./cli/mutants.js";
import { parseOptions } from "./cli/options.js";
import { help, UsageError } from "./cli/usage.js";
import { verify } from "./cli/verify.js";

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
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

// A reader that has seen enough (`| head`) is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  process.exitCode = await main();
} catch (error) {
  const isUsage =
    error instanceof UsageError ||
    (error instanceof GradstepError && error.code === "INVALID_FILE");
  // A backend that cannot start here says why; anything else is a defect, and its stack is wanted.
  if (!isUsage && !(error instanceof GradstepError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = isUsage ? 2 : 1;
}
