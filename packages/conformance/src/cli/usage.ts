/** A command that is not understood: one line on standard error, exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const help = `Usage: gradstep-conformance <command> [options]

Commands
  verify <backend>     run the suite against a backend
  golden <file>…       replay runs of Keras, PyTorch or Optax
  mutants              check the suite itself: does it notice injected bugs?

A backend is reference, cpu-js, cpu-js-exact, wasm or webgpu (where installed),
or a module (a path or a package) whose default export, or export named
backend, is a function that returns a fresh backend. The module exports
wrapsArrays = false if wrap() does not update a Float32Array in place, and
reductions = false if the backend runs elementwise rules alone.

Options
  --rule <file>        verify: a module that exports rules (what defineRule
                       returns); the checks of rules run on these instead of
                       the built-in ones; may be repeated
  --group <group>      verify, mutants: only the checks of this group, such as
                       bounds; may be repeated
  --backend <backend>  golden: check this backend, step by step, instead of
                       the f64 reference
  --cases <n>          verify: random cases, default 1000, or 40 on a GPU that
                       software emulates; mutants: per mutant, default 64
  --kernels <n>        verify: the most kernels that random cases compile per
                       rule; default all, or 4 on a GPU that software emulates
  --sample <n>         mutants: run this many, chosen by the seed; default all
  --seed <n>           verify, mutants: seed of the random cases, default 1
  --rounds <n>         verify: run the checks n times, each time with the next
                       seed, until one fails; for runs of hours, which Ctrl-C
                       ends; default 1
  --model <model>      round-to-nearest or wgsl; default: what the backend's
                       name implies
  --json               print one JSON document and nothing else
  --help               print this text

Ctrl-C stops verify and prints the results so far. A second Ctrl-C quits at
once.

Exit status: 0 all passed, 1 something failed, 2 the command was not understood
or a file could not be read, 130 stopped by Ctrl-C.
`;
