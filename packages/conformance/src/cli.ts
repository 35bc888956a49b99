#!/usr/bin/env node
import { runCommand } from "./cli/run-command.js";

// A reader that has seen enough (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

process.exitCode = await runCommand(process.argv.slice(2));
