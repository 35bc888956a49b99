import type { BatchRun, Kernel, Update, Variant } from "@gradstep/core";
import { isOneLoop } from "./array-names.js";
import { passInterpreter } from "../interpreter.js";
import type { CompiledFunctions, KernelFunction, PassFunction } from "../kernel-table.js";
import { PassKernel, runTogether } from "./pass-kernel.js";
import type { TemporaryArray } from "./temporary-array.js";
import { VariantRunner } from "./variant-runner.js";

/** Makes kernels of several passes. Apart from the backend, so that bundles for elementwise rules come without it. */
export interface PassCompiler {
  /**
   * The kernel of a variant. Its passes are compiled functions where there are some, and interpreted otherwise. A chain
   * that was not compiled as a whole runs as its parts, if one of them was compiled.
   *
   * @returns undefined for a variant that is better run as one loop over elements
   */
  compile(
    variant: Variant,
    functions: CompiledFunctions,
    Temporary: TemporaryArray,
  ): Kernel | undefined;
  /** Runs kernels as one step; see `Backend.runTogether`. */
  runTogether(runs: readonly BatchRun[]): void;
}

/** For `createCpuJs`: rules with reductions, chains, and rules that share a reduction. `cpuJs` has it. */
export const passes: PassCompiler = { compile: compilePasses, runTogether };

function compilePasses(
  variant: Variant,
  functions: CompiledFunctions,
  Temporary: TemporaryArray,
): Kernel | undefined {
  const isCompiled = ({ perElement }: Variant): boolean => functions.has(perElement.fingerprint);
  const { parts } = variant;
  if (!isCompiled(variant) && parts?.some((part) => isCompiled(part.variant)) === true)
    return chainKernel(variant, parts, functions, Temporary);
  if (isOneLoop(variant)) return undefined;
  const compute = passFunctionsOf(variant, functions, Temporary);
  return new PassKernel(sourceOf(compute), () => [new VariantRunner(variant, compute, Temporary)]);
}

function chainKernel(
  variant: Variant,
  parts: NonNullable<Variant["parts"]>,
  functions: CompiledFunctions,
  Temporary: TemporaryArray,
): Kernel {
  const changesGradient = ({ perElement }: Variant): boolean =>
    perElement.outputs.some(({ name }) => name === "g");
  const computes = parts.map((part) => passFunctionsOf(part.variant, functions, Temporary));
  const makeRunners = (): VariantRunner[] => {
    const changedGradients = parts.some((part) => changesGradient(part.variant))
      ? new WeakMap<Update, Float32Array>()
      : undefined;
    return parts.map((part, i) => {
      const isGradientChanged = parts.slice(0, i).some((one) => changesGradient(one.variant));
      const place = { part, changedGradients, isFirst: i === 0, isGradientChanged };
      return new VariantRunner(part.variant, computes[i], Temporary, place);
    });
  };
  const fused = (): VariantRunner =>
    new VariantRunner(variant, passFunctionsOf(variant, functions, Temporary), Temporary);
  const keysOf = ({ passPlan }: Variant): readonly string[] =>
    passPlan.temporaries.flatMap(({ key }) => (key === undefined ? [] : [key]));
  const ofFirst = keysOf(parts[0].variant);
  const isShareable = keysOf(variant).every((key) => ofFirst.includes(key));
  return new PassKernel(sourceOf(computes.flat()), makeRunners, fused, isShareable);
}

/** The function of each pass of a variant; undefined for matrix passes. */
function passFunctionsOf(
  variant: Variant,
  functions: CompiledFunctions,
  Temporary: TemporaryArray,
): readonly (PassFunction | undefined)[] {
  const found = functions.get(variant.perElement.fingerprint);
  return variant.passPlan.passes.map((pass) => {
    if (pass.kind !== "map") return undefined;
    if (typeof found === "function") return asPass(found, variant.slots.length);
    return found?.[pass.program.fingerprint] ?? passInterpreter(variant, pass, Temporary);
  });
}

/** The kernel of a variant of elements as a pass. */
function asPass(update: KernelFunction, slotCount: number): PassFunction {
  const slots: Float32Array[] = [];
  const pass: PassFunction = (arrays, scalars, _operands, start, end) => {
    for (let i = 0; i < slotCount; i += 1) slots[i] = arrays[i + 2] as Float32Array;
    update(arrays[0] as Float32Array, arrays[1] as Float32Array, slots, scalars, start, end, 0);
  };
  return Object.assign(pass, { toString: () => String(update) });
}

function sourceOf(functions: readonly (PassFunction | undefined)[]): string {
  return functions
    .filter((one) => one !== undefined)
    .map(String)
    .join("\n\n");
}
