#!/usr/bin/env node
import { readFileSync } from "node:fs";

const help = `Usage: gradstep <command>

Commands
  doctor  which backends this machine has, whether each is right, and how fast
          (gradstep doctor --help says more)
`;

// A reader that has seen enough (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const [command, ...args] = process.argv.slice(2);
if (command === "doctor") {
  const { runDoctor } = await import("@gradstep/conformance/doctor-command");
  const { candidates } = await import("./cli/candidates.js");
  const { version } = JSON.parse(
    readFileSync(new URL("../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  process.exitCode = await runDoctor(args, candidates, version);
} else if (command === "--help" || command === "-h" || command === "help") {
  process.stdout.write(help);
} else {
  const got = command === undefined ? "no command" : `command "${command}"`;
  process.stderr.write(`Got ${got}; expected doctor (--help says more).\n`);
  process.exitCode = 2;
}
