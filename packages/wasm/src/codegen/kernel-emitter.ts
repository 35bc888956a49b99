import { specialize, type KnownScalars, type Variant } from "@gradstep/core";
import { increase, whileBelow } from "./address-arithmetic.js";
import {
  firstLane,
  fourLanes,
  i32Add,
  i32And,
  i32Const,
  i32Load,
  i32Shl,
  i32Sub,
  localGet,
  localSet,
  type Access,
} from "./instruction-set.js";
import { concat, type Code, type WasmFunction } from "./module-encoder.js";
import { iterationOf, Locals, vectorProgram, vectorsPerIteration } from "./vector-program.js";

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
  const locals = new Locals(3);
  const pointers = arrays.map(() => locals.i32());
  const pointer = (name: string): number => pointers[arrays.indexOf(name)];
  const limit = locals.i32();
  const program = specialize(perElement, knownScalars);
  // The parameter last: it depends on everything else.
  const outputs = [...program.outputs].sort((a, b) => pointer(b.name) - pointer(a.name));
  const code = vectorProgram(
    { ...program, outputs },
    {
      inputOf: (name) => {
        if (!scalars.includes(name)) return { kind: "vectors", pointer: pointer(name) };
        const offset = 4 * scalars.indexOf(name);
        return { kind: "value", frequency: "call", address: localGet(entry), offset };
      },
      outputOf: (name) => ({ kind: "store", pointer: pointer(name) }),
    },
    locals,
  );
  const [first] = code.vectors;

  /** Repeats a body that covers `bytes` of each array while the pointer to `p` is below `bound`. */
  const repeat = (body: Code, bytes: number, bound: number): Code =>
    whileBelow(
      pointer("p"),
      localGet(bound),
      concat(body, ...pointers.map((local) => increase(local, i32Const(bytes)))),
    );
  /** The same while a whole body remains. `bytes` is a power of two. */
  const repeatWhole = (body: Code, bytes: number): Code =>
    concat(
      // As a distance from `p`: subtracting from an address near 0 would wrap around.
      concat(localGet(stop), localGet(pointer("p")), i32Sub, i32Const(-bytes), i32And),
      concat(localGet(pointer("p")), i32Add, localSet(limit)),
      repeat(body, bytes, limit),
    );
  const single = (access: Access): Code => concat(first.load(access, 0), first.compute(access, 0));
  const inBytes = (local: number): Code => concat(localGet(local), i32Const(2), i32Shl);
  return {
    parameters: 3,
    locals: locals.types,
    body: concat(
      ...pointers.map((local, i) =>
        concat(
          concat(localGet(entry), i32Load(4 * (1 + i)), inBytes(start), i32Add),
          localSet(local),
        ),
      ),
      concat(localGet(entry), i32Load(4), inBytes(stop), i32Add, localSet(stop)),
      concat(localGet(entry), loadScalarsAddress(variant), localSet(entry)),
      code.perCall,
      repeatWhole(iterationOf(code), 16 * vectorsPerIteration),
      repeatWhole(single(fourLanes), 16),
      repeat(single(firstLane), 4, stop),
    ),
  };
}
