// Installs and builds what a program needs, then becomes that program:
// `node scripts/start.mjs <turbo filter> <file> [arguments]`.
// Standard output belongs to the program alone; what goes wrong before it goes to standard error.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { exitStatus, pnpm } from "./with-pnpm.mjs";

const [filter, file, ...args] = process.argv.slice(2);

const build = ["exec", "turbo", "run", "build", `--filter=${filter}`, "--output-logs=errors-only"];
const child = pnpm(build, ["ignore", "pipe", "pipe"]);
const output = [];
child.stdout.on("data", (chunk) => output.push(chunk));
child.stderr.on("data", (chunk) => output.push(chunk));

const notice = setTimeout(() => {
  console.error("Preparing: installing and building (under a minute the first time)…");
}, 3000);
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
clearTimeout(notice);
process.off("SIGINT", interrupt).off("SIGTERM", interrupt);

if (status !== 0) {
  process.stderr.write(Buffer.concat(output));
  console.error("Preparing failed; the output above says why.");
  process.exit(1);
}

// In this very process: the program has the terminal, the signals and the exit status to itself.
const program = resolve(file);
process.argv = [process.execPath, program, ...args];
await import(pathToFileURL(program).href);
