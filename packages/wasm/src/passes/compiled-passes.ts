import { instantiateVariant } from "../codegen/instantiate-variant.js";
import type { Exports } from "../codegen/instantiate.js";
import { newtonSchulzName } from "../codegen/kernel-module.js";
import type { Heap } from "../memory/heap.js";
import type { PassKernel, PassPlan } from "../planning/pass-plan.js";
import { PassTable, type Relocations } from "../planning/pass-table.js";
import {
  PassRunner,
  type PassFunctions,
  type RunNewtonSchulz,
  type RunRanges,
} from "./pass-runner.js";

/** Runs `count` ranges, which are consecutive from an address. */
type RunAll = (ranges: number, count: number) => void;

/** The functions of a plan from a module that was compiled before; undefined if it lacks one. */
export function functionsOf(plan: PassPlan, exports: Exports): PassFunctions | undefined {
  const kernels = plan.passes.flatMap((pass) =>
    pass.kind === "kernel" ? [exports[pass.name] as RunAll | undefined] : [],
  );
  const newtonSchulz = exports[newtonSchulzName] as RunNewtonSchulz | undefined;
  const hasProducts = plan.passes.some(({ kind }) => kind === "newtonSchulz");
  if (kernels.includes(undefined) || (hasProducts && newtonSchulz === undefined)) return undefined;
  return {
    kernels: kernels.map(
      (run): RunRanges =>
        ({ address, count }) =>
          run!(address, count),
    ),
    newtonSchulz,
  };
}

/** Compiles the functions of a plan for one thread. @throws {GradstepError} `UNSUPPORTED` */
export function compilePasses(plan: PassPlan, { memory }: Heap): PassFunctions {
  return functionsOf(plan, instantiateVariant(plan.variant, memory))!;
}

/** A plan with its functions, and with the tables of the steps that it runs. */
export class CompiledPasses {
  readonly #heap: Heap;
  readonly #plan: PassPlan;
  readonly #relocations: Relocations;
  #functions: PassFunctions;
  readonly #runners: PassRunner[] = [];

  constructor(heap: Heap, plan: PassPlan, relocations: Relocations, functions: PassFunctions) {
    this.#heap = heap;
    this.#plan = plan;
    this.#relocations = relocations;
    this.#functions = functions;
  }

  /** A runner, by index: several are needed if rules of one variant run together. */
  runner(index: number): PassRunner {
    return (this.#runners[index] ??= new PassRunner(
      new PassTable(this.#heap, this.#plan, this.#relocations),
      this.#functions,
    ));
  }

  /** Runs the kernels on several threads from now on. */
  useThreads(compile: (kernel: PassKernel) => RunRanges): void {
    const kernels = this.#plan.passes.flatMap((pass) =>
      pass.kind === "kernel" ? [compile(pass)] : [],
    );
    this.#functions = { ...this.#functions, kernels };
    for (const runner of this.#runners) runner.functions = this.#functions;
  }
}
