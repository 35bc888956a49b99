import {
  checkOptions,
  checkRule,
  GradstepError,
  knownScalarsOf,
  show,
  type KnownScalars,
  type Rule,
  type Variant,
} from "@gradstep/core";
import { entryWords } from "../memory/layout.js";
import {
  block,
  br,
  brIf,
  call,
  elseThen,
  end,
  f32Const,
  f32Eq,
  f32Load,
  i32Add,
  i32And,
  i32Const,
  i32Eqz,
  i32Load,
  i32Sub,
  ifThen,
  localGet,
  localSet,
  loop,
} from "./instruction-set.js";
import { emitKernel, loadScalarsAddress } from "./kernel-emitter.js";
import { concat, encodeModule, type Code, type WasmFunction } from "./module-encoder.js";

/** Options of `kernelModule`. */
export interface KernelModuleOptions {
  /** Whether the module imports shared memory. False if left out. */
  readonly shared?: boolean;
}

/**
 * Compiles a rule to the bytes of a wasm module, for `wasm({ modules })` on hosts that forbid compiling at run time.
 *
 * Per variant the module exports a function under the variant's fingerprint, `(entries, count)`: it updates `count`
 * tensors, whose batch entries are consecutive from the address `entries`.
 *
 * @param rule what `defineRule` returned, or some variants of a rule
 * @throws {GradstepError} `INVALID_RULE`, `UNKNOWN_OPTION`
 */
export function kernelModule(
  rule: Rule | readonly Variant[],
  options: KernelModuleOptions = {},
): Uint8Array<ArrayBuffer> {
  checkOptions("kernelModule", options, ["shared"]);
  const functions: WasmFunction[] = [];
  for (const variant of variantsOf(rule)) addKernel(functions, variant);
  return encodeModule(functions, options.shared ?? false);
}

function variantsOf(rule: Rule | readonly Variant[]): readonly Variant[] {
  if (!isList(rule)) {
    checkRule("kernelModule", rule);
    return rule.variants();
  }
  if (rule.some((variant) => typeof variant?.perElement?.fingerprint !== "string")) {
    throw new GradstepError(
      `kernelModule: got ${show(rule)}; expected a rule, or a list of its variants.`,
      { code: "INVALID_RULE" },
    );
  }
  return rule;
}

/** As Array.isArray, which TypeScript does not use to narrow read-only arrays. */
function isList<T>(value: object | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

/**
 * Adds the kernel of a variant, exported under its fingerprint.
 *
 * @returns the index of its update function `(entry, start, end)`
 */
export function addKernel(functions: WasmFunction[], variant: Variant): number {
  const update = addUpdate(functions, variant);
  functions.push({
    name: variant.perElement.fingerprint,
    parameters: 2,
    locals: [],
    body: forEachEntry(update, 4 * entryWords(variant)),
  });
  return update;
}

/**
 * Adds the function `(entry, start, end)` of a variant, and returns its index. It calls the shortest kernel that the
 * scalars of the step permit: most steps need not flush negligible values, and many have no decay.
 */
function addUpdate(functions: WasmFunction[], variant: Variant): number {
  const all = knownScalarsOf(variant.perElement);
  const flushThresholds: KnownScalars = new Map([...all].filter(([, value]) => value === 0));
  const levels = [all, flushThresholds].filter(
    ({ size }, i, [first]) => size > 0 && (i === 0 || size < first.size),
  );
  const first = functions.length;
  functions.push(...levels.map((known) => emitKernel(variant, known)), emitKernel(variant));
  if (levels.length === 0) return first;
  const entry = 0;
  const run = (kernel: number): Code =>
    concat(localGet(entry), localGet(1), localGet(2), call(kernel));
  const holds = (known: KnownScalars): Code =>
    concat(
      ...[...known].map(([name, value], i) =>
        concat(
          concat(localGet(entry), loadScalarsAddress(variant)),
          concat(f32Load(4 * variant.scalars.indexOf(name)), f32Const(value), f32Eq),
          i > 0 ? i32And : [],
        ),
      ),
    );
  const choices = levels.map((known, i) => concat(holds(known), ifThen, run(first + i), elseThen));
  const index = functions.push({
    parameters: 3,
    locals: [],
    body: concat(...choices, run(first + levels.length), ...levels.map(() => end)),
  });
  return index - 1;
}

/** Calls `update` for every entry, with all of its elements. */
function forEachEntry(update: number, entryBytes: number): Code {
  const [entry, count] = [0, 1];
  return concat(
    concat(block, loop, localGet(count), i32Eqz, brIf(1)),
    concat(localGet(entry), i32Const(0), localGet(entry), i32Load(0), call(update)),
    concat(localGet(entry), i32Const(entryBytes), i32Add, localSet(entry)),
    concat(localGet(count), i32Const(1), i32Sub, localSet(count)),
    concat(br(0), end, end),
  );
}
