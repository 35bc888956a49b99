import { knownScalarsOf, type KnownScalars, type Program, type Variant } from "@gradstep/core";
import { isElementwise } from "@gradstep/core/internal";
import { entryWords, rangeWord, rangeWords } from "../memory/batch-layout.js";
import { entryWord } from "../planning/entry-layout.js";
import { hasTransposedForm, planOf, type PassKernel } from "../planning/pass-plan.js";
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
import {
  concat,
  encodeModule,
  type Code,
  type ImportedMemory,
  type WasmFunction,
} from "./module-encoder.js";
import { addNewtonSchulz } from "./newton-schulz.js";
import { emitPassKernel } from "./pass-kernel.js";

/**
 * The bytes of a module with the kernels of some variants.
 *
 * Per variant the module exports a function under the variant's fingerprint, `(entries, count)`: it updates `count`
 * tensors, whose batch entries are consecutive from the address `entries`. For a variant with several passes it exports
 * one per kernel, `<fingerprint>.0` and so on, `(ranges, count)`, and `newtonSchulz` if a pass needs it.
 */
export function moduleOfVariants(
  variants: readonly Variant[],
  memory: ImportedMemory,
): Uint8Array<ArrayBuffer> {
  const functions: WasmFunction[] = [];
  let hasProducts = false;
  for (const variant of variants) {
    if (isElementwise(variant)) {
      addKernel(functions, variant);
      continue;
    }
    for (const pass of planOf(variant).passes) {
      if (pass.kind === "kernel") addPassKernel(functions, pass);
      hasProducts ||= pass.kind === "newtonSchulz";
    }
  }
  if (hasProducts) addNewtonSchulz(functions, newtonSchulzName);
  return encodeModule(functions, memory);
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

/** The name under which modules export the Newton–Schulz iteration. */
export const newtonSchulzName = "newtonSchulz";

/**
 * Adds a kernel of a pass, exported under its name.
 *
 * @returns the index of its function `(range)`
 */
export function addPassKernel(functions: WasmFunction[], kernel: PassKernel): number {
  const range = 0;
  const load = (word: number): Code =>
    concat(localGet(range), i32Load(4 * rangeWord.entry), i32Load(4 * word));
  const add = ({ isTransposed }: { readonly isTransposed: boolean }): number =>
    addSpecialized(functions, {
      program: kernel.program,
      scalars: kernel.layout.scalars,
      scalarsAddress: load(entryWord.scalars),
      emit: (known) => emitPassKernel(kernel, { knownScalars: known, isTransposed }),
    });
  let index = add({ isTransposed: false });
  if (hasTransposedForm(kernel)) {
    const forms = concat(
      concat(
        load(entryWord.isTransposed),
        ifThen,
        localGet(range),
        call(add({ isTransposed: true })),
      ),
      concat(elseThen, localGet(range), call(index), end),
    );
    index = functions.push({ parameters: 1, locals: [], body: forms }) - 1;
  }
  const callUpdate = concat(localGet(range), call(index));
  functions.push({
    name: kernel.name,
    parameters: 2,
    locals: [],
    body: forEachRecord(callUpdate, 4 * rangeWords),
  });
  return index;
}

/** Adds the function `(entry, start, end)` of a variant, and returns its index. */
function addUpdate(functions: WasmFunction[], variant: Variant): number {
  return addSpecialized(functions, {
    program: variant.perElement,
    scalars: variant.scalars,
    scalarsAddress: concat(localGet(0), loadScalarsAddress(variant)),
    emit: (known) => emitKernel(variant, known),
  });
}

/** A function that has shorter forms, for certain values of scalars. */
interface Specializable {
  readonly program: Program;
  readonly scalars: readonly string[];
  /** The address of the scalars, from the parameters of the function. */
  readonly scalarsAddress: Code;
  readonly emit: (known: KnownScalars) => WasmFunction;
}

/**
 * Adds a function, and returns its index. It calls the shortest form that the scalars of the step permit: most steps need
 * not flush negligible values, and many have no decay.
 */
function addSpecialized(
  functions: WasmFunction[],
  { program, scalars, scalarsAddress, emit }: Specializable,
): number {
  const all = knownScalarsOf(program);
  const flushThresholds: KnownScalars = new Map([...all].filter(([, value]) => value === 0));
  const levels = [all, flushThresholds].filter(
    ({ size }, i, [first]) => size > 0 && (i === 0 || size < first.size),
  );
  const first = functions.length;
  functions.push(...levels.map((known) => emit(known)), emit(new Map()));
  if (levels.length === 0) return first;
  const { parameters } = functions[first];
  const run = (kernel: number): Code =>
    concat(...Array.from({ length: parameters }, (_, i) => localGet(i)), call(kernel));
  const holds = (known: KnownScalars): Code =>
    concat(
      ...[...known].map(([name, value], i) =>
        concat(
          scalarsAddress,
          concat(f32Load(4 * scalars.indexOf(name)), f32Const(value), f32Eq),
          i > 0 ? i32And : [],
        ),
      ),
    );
  const choices = levels.map((known, i) => concat(holds(known), ifThen, run(first + i), elseThen));
  const index = functions.push({
    parameters,
    locals: [],
    body: concat(...choices, run(first + levels.length), ...levels.map(() => end)),
  });
  return index - 1;
}

/** Calls `update` for every entry, with all of its elements. */
function forEachEntry(update: number, entryBytes: number): Code {
  const entry = 0;
  const updateEntry = concat(
    concat(localGet(entry), i32Const(0), localGet(entry), i32Load(0)),
    call(update),
  );
  return forEachRecord(updateEntry, entryBytes);
}

/** Repeats a body for as many records as parameter 1 says. Parameter 0 is the address of each. */
function forEachRecord(body: Code, recordBytes: number): Code {
  const [record, count] = [0, 1];
  return concat(
    concat(block, loop, localGet(count), i32Eqz, brIf(1)),
    body,
    concat(localGet(record), i32Const(recordBytes), i32Add, localSet(record)),
    concat(localGet(count), i32Const(1), i32Sub, localSet(count)),
    concat(br(0), end, end),
  );
}
