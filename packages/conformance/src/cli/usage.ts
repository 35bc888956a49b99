/** A command that cannot be understood: one line on standard error, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const help = `Usage: gradstep-conformance <command> [options]

Commands
  verify <backend>            run the suite against a backend
  golden <file>…              replay runs of Keras, PyTorch or Optax
  mutants                     break rules and backends on purpose: does the suite notice?

A backend is reference, cpu-js, cpu-js-exact, wasm or webgpu (where installed), or a module (a path or
a package) whose default export, or export named backend, is a function that gives a fresh backend
(and that exports wrapsArrays = false if it does not work in the caller's Float32Arrays).

Options
  --backend <backend>         golden: judge this backend, step by step, in place of the f64 reference
  --cases <n>                 verify: random cases, default 1000; mutants: for each check, default 64
  --seed <n>                  verify, mutants: of the random cases, default 1
  --model <model>             round-to-nearest or wgsl; by default what the backend's name implies, for mutants the first
  --json                      one JSON document on standard output, nothing else
  --help                      this text

Exit status: 0 all passed, 1 something failed, 2 the command was not understood or a file could not be read.
`;
