#!/usr/bin/env node
import { readFileSync } from "node:fs";

const help = `Usage: gradstep <command>

Commands
  doctor  which backends this machine has, whether each is right, and how fast
          (gradstep doctor --help says more)

Options
  --help     print this text
  --version  print the version of gradstep
`;

function versionOfPackage(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

// A reader that has seen enough (`| head`) is not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

const [command, ...args] = process.argv.slice(2);
if (command === "doctor") {
  const { runDoctor } = await import("@gradstep/conformance/doctor-command");
  const { candidates } = await import("./cli/candidates.js");
  process.exitCode = await runDoctor(args, candidates, versionOfPackage());
} else if (command === "--help" || command === "-h" || command === "help") {
  process.stdout.write(help);
} else if (command === "--version" || command === "-v") {
  process.stdout.write(`${versionOfPackage()}\n`);
} else {
  const got = command === undefined ? "no command" : `command "${command}"`;
  process.stderr.write(`Got ${got}; expected doctor (--help says more).\n`);
  process.exitCode = 2;
}
