// Installs and builds what a program needs, unless that was done, and then becomes that program:
// `node scripts/start.mjs <turbo filter>[#<turbo task>] <file> [arguments]`.
// Standard output belongs to the program alone; what goes wrong before it goes to standard error.
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { outputState, readState, sourceState, writeState } from "./build-state.mjs";
import { forgottenDashes } from "./forgotten-dashes.mjs";
import { exitStatus, pnpm } from "./with-pnpm.mjs";

const [target, file, ...rest] = process.argv.slice(2);
const [filter, task = "build"] = target.split("#");
// npm takes the `--` before a program's options; pnpm leaves it.
const args = rest[0] === "--" ? rest.slice(1) : rest;
const program = resolve(file);

await checkOptions(join(dirname(program), "../src/options.mjs"));
const before = { sources: sourceState(), outputs: outputState() };
const built = readState(target);
if (built?.sources !== before.sources || built.outputs !== before.outputs) {
  await build();
  writeState(target, { sources: before.sources, outputs: outputState() });
}

// In this very process: the program has the terminal, the signals and the exit status to itself.
process.argv = [process.execPath, program, ...args];
await import(pathToFileURL(program).href);

/** Answers `--help` and a command line that the program does not understand, before anything is built. */
async function checkOptions(path) {
  // A program that has no such module parses its options itself.
  if (!existsSync(path)) return;
  const { helpText, optionNames, OptionsError, parseOptions } = await import(
    pathToFileURL(path).href
  );
  const problem = forgottenDashes(optionNames, args, process.env);
  if (problem !== undefined) {
    console.error(problem);
    process.exit(2);
  }
  try {
    if (!parseOptions(args).help) return;
  } catch (error) {
    if (!(error instanceof OptionsError)) throw error;
    console.error(error.message);
    process.exit(2);
  }
  console.log(helpText(Math.min(80, process.stdout.columns ?? 80)));
  process.exit(0);
}

async function build() {
  const child = pnpm(
    ["exec", "turbo", "run", task, `--filter=${filter}`, "--output-logs=new-only"],
    ["ignore", "pipe", "pipe"],
  );
  let isNoticed = false;
  const notice = () => {
    if (!isNoticed) console.error("Preparing: building (under a minute the first time)…");
    isNoticed = true;
  };
  if (!existsSync("node_modules")) notice();
  const check = setTimeout(() => {
    if (!isNoticed) console.error("Checking the build…");
  }, 3000);
  const output = [];
  const collect = (chunk) => {
    output.push(chunk);
    // Of turbo, which says nothing of a task whose result it has; and of pnpm, where it installs.
    if (/cache miss|Packages: /.test(chunk.toString())) notice();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);

  const interrupt = (signal) => {
    child.kill(signal);
    process.exit(exitStatus(null, signal));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  const status = await new Promise((done) => {
    child.on("error", (error) => {
      output.push(Buffer.from(`${error.message}\n`));
      done(1);
    });
    child.on("close", (code, signal) => done(exitStatus(code, signal)));
  });
  clearTimeout(check);
  process.off("SIGINT", interrupt).off("SIGTERM", interrupt);

  if (status !== 0) {
    process.stderr.write(Buffer.concat(output));
    console.error("Preparing failed; the output above says why.");
    process.exit(1);
  }
}
