import type { Backend, Kernel, Update } from "@gradstep/core";

/**
 * Gives the kernels of a backend a `repeater`, unless they have one, so that an optimizer takes its path for repeated
 * steps on every backend.
 */
export function withRepeater(backend: Backend): Backend {
  const compile = backend.compile.bind(backend);
  backend.compile = (variant): Kernel => {
    const kernel = compile(variant);
    if (kernel.repeater !== undefined) return kernel;
    let last: { readonly updates: readonly Update[]; readonly count: number } | undefined;
    const runOnce = kernel.run.bind(kernel);
    const run: Kernel["run"] = (updates, count) => {
      runOnce(updates, count);
      last = { updates, count };
    };
    // The same object, which the backend may know.
    return Object.assign(kernel, {
      run,
      repeater: ((updates) => {
        if (last?.updates !== updates) return undefined;
        const { count } = last;
        const tensors = updates
          .slice(0, count)
          .flatMap(({ parameter, gradient }) => [parameter, gradient]);
        return tensors.some(({ freed }) => freed) ? undefined : () => run(updates, count);
      }) satisfies Kernel["repeater"],
    });
  };
  return backend;
}
