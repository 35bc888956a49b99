import { emit, specialize, type KnownScalars, type Variant } from "@gradstep/core";
import {
  block,
  br,
  brIf,
  end,
  firstLane,
  fourLanes,
  i32Add,
  i32And,
  i32Const,
  i32Eqz,
  i32Load,
  i32LtU,
  i32Shl,
  i32Sub,
  loadSplat,
  localGet,
  localSet,
  loop,
  type Access,
} from "./instruction-set.js";
import { concat, i32, v128, type Code, type WasmFunction } from "./module-encoder.js";
import { simdOperations, type Operand, type OperandSource } from "./simd-operations.js";

/** Vectors per loop iteration (ADR 0018): a power of two, and a multiple of `vectorsPerGroup`. */
const vectorsPerIteration = 8;

/** Vectors that are loaded before the first of them is computed, each with its own locals (ADR 0015). */
const vectorsPerGroup = 2;

/** The update of one vector of elements. All loads come before any store. */
interface VectorUpdate {
  readonly loads: readonly { readonly pointer: number; readonly local: number }[];
  /** Values that are used more than once, into their locals. */
  readonly shared: Code;
  readonly stores: readonly { readonly pointer: number; readonly code: Code }[];
}

/** Replaces the address of an entry on the stack by the address of its scalars. */
export function loadScalarsAddress({ slots }: Variant): Code {
  return i32Load(4 * (3 + slots.length));
}

/**
 * Emits a variant as a wasm function `(entry, start, end)`, which updates the elements from `start` to before `end`.
 *
 * @param knownScalars scalars whose values are fixed in this function. The operations that they make redundant are
 * omitted.
 */
export function emitKernel(variant: Variant, knownScalars: KnownScalars = new Map()): WasmFunction {
  const { perElement, slots, scalars } = variant;
  // The parameters. Their locals are reused: for the address of the scalars, and for the end of `p` in memory.
  const [entry, start, stop] = [0, 1, 2];
  const arrays = ["p", "g", ...slots.map(({ name }) => name)];
  const firstPointer = 3;
  const pointer = (name: string): number => firstPointer + arrays.indexOf(name);
  const limit = firstPointer + arrays.length;
  let vectorLocals = 0;
  const newLocal = (): number => {
    vectorLocals += 1;
    return limit + vectorLocals;
  };

  const hoisted: number[] = [];
  const operandByCode = new Map<string, Operand>();
  const hoist = (code: Code): Operand => {
    const key = code.join();
    const found = operandByCode.get(key);
    if (found !== undefined) return found;
    const local = newLocal();
    hoisted.push(...code, ...localSet(local));
    const operand: Operand = { code: localGet(local), frequency: "call" };
    operandByCode.set(key, operand);
    return operand;
  };
  const program = specialize(perElement, knownScalars);
  /** Each vector of a group has its own locals, so that the next one need not wait. */
  const vectorUpdate = (): VectorUpdate => {
    const loads: { readonly pointer: number; readonly local: number }[] = [];
    const shared: number[] = [];
    const source: OperandSource = {
      input(name) {
        if (scalars.includes(name))
          return hoist(concat(localGet(entry), loadSplat(4 * scalars.indexOf(name))));
        const local = newLocal();
        loads.push({ pointer: pointer(name), local });
        return { code: localGet(local), frequency: "vector" };
      },
      share(code, frequency) {
        if (frequency !== "vector") return hoist(code);
        const local = newLocal();
        shared.push(...code, ...localSet(local));
        return { code: localGet(local), frequency };
      },
      hoist,
      newLocal,
    };
    const outputs = emit(program, simdOperations(source));
    const stores = outputs.map(({ name, value }) => ({ pointer: pointer(name), code: value.code }));
    // The parameter last: it depends on everything else.
    stores.sort((one, other) => other.pointer - one.pointer);
    return { loads, shared, stores };
  };
  const group = Array.from({ length: vectorsPerGroup }, vectorUpdate);
  const [first] = group;

  const load = (vector: VectorUpdate, access: Access, offset: number): Code =>
    concat(
      ...vector.loads.map((from) =>
        concat(localGet(from.pointer), access.load(offset), localSet(from.local)),
      ),
    );
  const update = (vector: VectorUpdate, access: Access, offset: number): Code =>
    concat(
      vector.shared,
      ...vector.stores.map((to) => concat(localGet(to.pointer), to.code, access.store(offset))),
    );
  /** Repeats a body that covers `bytes` of each array while the pointer to `p` is below `bound`. */
  const repeat = (code: Code, bytes: number, bound: number): Code =>
    concat(
      concat(block, loop, localGet(pointer("p")), localGet(bound), i32LtU, i32Eqz, brIf(1)),
      code,
      ...arrays.map((_, i) =>
        concat(localGet(firstPointer + i), i32Const(bytes), i32Add, localSet(firstPointer + i)),
      ),
      concat(br(0), end, end),
    );
  /** The same while a whole body remains. `bytes` is a power of two. */
  const repeatWhole = (code: Code, bytes: number): Code =>
    concat(
      // As a distance from `p`: subtracting from an address near 0 would wrap around.
      concat(localGet(stop), localGet(pointer("p")), i32Sub, i32Const(-bytes), i32And),
      concat(localGet(pointer("p")), i32Add, localSet(limit)),
      repeat(code, bytes, limit),
    );
  const iteration: Code[] = [];
  for (let offset = 0; offset < 16 * vectorsPerIteration; offset += 16 * vectorsPerGroup) {
    iteration.push(...group.map((vector, i) => load(vector, fourLanes, offset + 16 * i)));
    iteration.push(...group.map((vector, i) => update(vector, fourLanes, offset + 16 * i)));
  }
  const single = (access: Access): Code => concat(load(first, access, 0), update(first, access, 0));
  const inBytes = (local: number): Code => concat(localGet(local), i32Const(2), i32Shl);
  return {
    parameters: 3,
    locals: [...arrays.map(() => i32), i32, ...Array<number>(vectorLocals).fill(v128)],
    body: concat(
      ...arrays.map((_, i) =>
        concat(
          concat(localGet(entry), i32Load(4 * (1 + i)), inBytes(start), i32Add),
          localSet(firstPointer + i),
        ),
      ),
      concat(localGet(entry), i32Load(4), inBytes(stop), i32Add, localSet(stop)),
      concat(localGet(entry), loadScalarsAddress(variant), localSet(entry)),
      hoisted,
      repeatWhole(concat(...iteration), 16 * vectorsPerIteration),
      repeatWhole(single(fourLanes), 16),
      repeat(single(firstLane), 4, stop),
    ),
  };
}
