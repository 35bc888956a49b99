import {
  emit,
  specialize,
  smallestNormal,
  type Emitter,
  type KnownScalars,
  type Variant,
} from "@gradstep/core";
import {
  block,
  branch,
  branchIf,
  end,
  f32Const,
  f32x4,
  firstLane,
  fourLanes,
  get,
  i32Add,
  i32And,
  i32Const,
  i32Eqz,
  i32Load,
  i32LtU,
  i32Shl,
  i32Sub,
  i32x4Splat,
  loadSplat,
  loop,
  set,
  tee,
  v128And,
  v128AndNot,
  v128Or,
  v128Select,
  type Access,
} from "./instruction-set.js";
import { i32, join, v128, type Code, type WasmFunction } from "./module-encoder.js";

/** Code that leaves a value on the stack. */
interface Piece {
  readonly code: Code;
  /** Whether it differs between elements; otherwise it belongs before the loop. */
  readonly varies: boolean;
  /** Whether it is the literal 0: all bits of it are. */
  readonly isZero?: boolean;
}

/** Gives a value a local: computed where the stream of code is, used from there on. */
type Share = (code: Code, varies: boolean) => Piece;

/** What is the same for all elements: for each code, the piece that it was given. */
type Common = (code: Code) => Piece;

/** The table from operations to SIMD instructions. Each is the reference's operation, bit for bit. */
function emitter(
  input: (name: string) => Piece,
  share: Share,
  common: Common,
  temporary: () => number,
): Emitter<Piece> {
  const constant = (value: number): Piece => common(join(f32Const(value), f32x4.splat));
  const plain =
    (instruction: Code) =>
    (...operands: Piece[]): Piece => ({
      code: join(...operands.map(({ code }) => code), instruction),
      varies: operands.some(({ varies }) => varies),
    });
  // Conditions are shared only where they are used more than once; those that do not vary belong before the loop.
  const compare =
    (instruction: Code) =>
    (...operands: Piece[]): Piece => {
      const condition = plain(instruction)(...operands);
      return condition.varies ? condition : share(condition.code, false);
    };
  // Engines make the mask of f32x4.abs anew at each use, from three instructions.
  const abs = (x: Piece): Piece =>
    plain(v128And)(x, common(join(i32Const(0x7fffffff), i32x4Splat)));
  return {
    number: (value) => ({ ...constant(value), isZero: Object.is(value, 0) }),
    input,
    neg: plain(f32x4.neg),
    abs,
    sqrt: plain(f32x4.sqrt),
    // 1 with the sign of x where 0 < |x|; x itself where it is ±0 or NaN.
    sign: (x) => {
      const local = temporary();
      const signed = join(constant(-0).code, v128And, constant(1).code, v128Or);
      const magnitude = abs({ code: get(local), varies: true }).code;
      const isSigned = join(constant(0).code, magnitude, f32x4.lt);
      return plain(join(tee(local), signed, get(local), isSigned, v128Select))(x);
    },
    flush: (x) => {
      const local = temporary();
      const magnitude = abs({ code: get(local), varies: true }).code;
      const isSmall = join(magnitude, constant(smallestNormal).code, f32x4.lt);
      return plain(join(tee(local), isSmall, v128AndNot))(x);
    },
    add: plain(f32x4.add),
    sub: plain(f32x4.sub),
    mul: plain(f32x4.mul),
    div: plain(f32x4.div),
    min: plain(f32x4.min),
    max: plain(f32x4.max),
    lt: compare(f32x4.lt),
    le: compare(f32x4.le),
    eq: compare(f32x4.eq),
    ne: compare(f32x4.ne),
    // Values that come to rest are 0 where the condition holds: one operation instead of three.
    select: (condition, a, b) =>
      a.isZero === true ? plain(v128AndNot)(b, condition) : plain(v128Select)(a, b, condition),
    share: ({ code }, varies) => share(code, varies),
  };
}

/** Vectors per loop iteration (ADR 0018). A multiple of `vectorsTogether`; 16 bytes times it is a power of two. */
const vectorsPerIteration = 8;

/** Vectors that are loaded before the first of them is computed, each with its own locals (ADR 0015). */
const vectorsTogether = 2;

/** One vector's way through a turn: all of it is read before anything is written. */
interface Vector {
  readonly loads: readonly { readonly pointer: number; readonly local: number }[];
  readonly element: Code;
  readonly stores: readonly { readonly pointer: number; readonly code: Code }[];
}

/** Leaves the address of a row's scalars on the stack, in place of the row's own. */
export function scalarsOf({ slots }: Variant): Code {
  return i32Load(4 * (3 + slots.length));
}

/**
 * A variant as a wasm function `(row, start, end)`: updates the elements from `start` to before `end`.
 *
 * @param settled scalars whose values are known; what they leave undone is left out.
 */
export function emitWasm(variant: Variant, settled: KnownScalars = new Map()): WasmFunction {
  const { perElement, slots, scalars } = variant;
  const [row, start, stop] = [0, 1, 2];
  const arrays = ["p", "g", ...slots.map(({ name }) => name)];
  const pointer = (name: string): number => 3 + arrays.indexOf(name);
  const limit = 3 + arrays.length;
  let temporaries = 0;
  const temporary = (): number => {
    temporaries += 1;
    return limit + temporaries;
  };

  const before: number[] = [];
  const known = new Map<string, Piece>();
  const common: Common = (code) => {
    const key = code.join();
    const found = known.get(key);
    if (found !== undefined) return found;
    const local = temporary();
    before.push(...code, ...set(local));
    const piece = { code: get(local), varies: false };
    known.set(key, piece);
    return piece;
  };
  const program = specialize(perElement, settled);
  /** Each vector has locals of its own, so that the next one's need not wait. */
  const vector = (): Vector => {
    const loads: { readonly pointer: number; readonly local: number }[] = [];
    const element: number[] = [];
    const share: Share = (code, varies) => {
      if (!varies) return common(code);
      const local = temporary();
      element.push(...code, ...set(local));
      return { code: get(local), varies };
    };
    const input = (name: string): Piece => {
      if (scalars.includes(name))
        return common(join(get(row), loadSplat(4 * scalars.indexOf(name))));
      const local = temporary();
      loads.push({ pointer: pointer(name), local });
      return { code: get(local), varies: true };
    };
    const outputs = emit(program, emitter(input, share, common, temporary));
    const stores = outputs.map(({ name, value }) => ({ pointer: pointer(name), code: value.code }));
    // The parameter last: it depends on all the rest.
    stores.sort((one, other) => other.pointer - one.pointer);
    return { loads, element, stores };
  };
  const vectors = Array.from({ length: vectorsTogether }, vector);
  const [first] = vectors;

  const load = (one: Vector, access: Access, offset: number): Code =>
    join(...one.loads.map((from) => join(get(from.pointer), access.load(offset), set(from.local))));
  const update = (one: Vector, access: Access, offset: number): Code =>
    join(
      one.element,
      ...one.stores.map((to) => join(get(to.pointer), to.code, access.store(offset))),
    );
  /** Repeats a body that covers so many bytes, while the pointer to `p` is below the bound. */
  const repeat = (code: Code, bytes: number, bound: number): Code =>
    join(
      join(block, loop, get(pointer("p")), get(bound), i32LtU, i32Eqz, branchIf(1)),
      code,
      ...arrays.map((_, i) => join(get(3 + i), i32Const(bytes), i32Add, set(3 + i))),
      join(branch(0), end, end),
    );
  /** The same, as often as there are whole bodies: a power of two of bytes. */
  const repeatWhole = (code: Code, bytes: number): Code =>
    join(
      // Counted from `p` on, so that nothing is subtracted from an address near 0.
      join(get(stop), get(pointer("p")), i32Sub, i32Const(-bytes), i32And),
      join(get(pointer("p")), i32Add, set(limit)),
      repeat(code, bytes, limit),
    );
  const turn: Code[] = [];
  for (let offset = 0; offset < 16 * vectorsPerIteration; offset += 16 * vectorsTogether) {
    turn.push(...vectors.map((one, i) => load(one, fourLanes, offset + 16 * i)));
    turn.push(...vectors.map((one, i) => update(one, fourLanes, offset + 16 * i)));
  }
  const alone = (access: Access): Code => join(load(first, access, 0), update(first, access, 0));
  const inBytes = (local: number): Code => join(get(local), i32Const(2), i32Shl);
  return {
    parameters: 3,
    locals: [...arrays.map(() => i32), i32, ...Array<number>(temporaries).fill(v128)],
    body: join(
      ...arrays.map((_, i) =>
        join(get(row), i32Load(4 * (1 + i)), inBytes(start), i32Add, set(3 + i)),
      ),
      join(get(row), i32Load(4), inBytes(stop), i32Add, set(stop)),
      // From here on it is the address of the scalars.
      join(get(row), scalarsOf(variant), set(row)),
      before,
      repeatWhole(join(...turn), 16 * vectorsPerIteration),
      repeatWhole(alone(fourLanes), 16),
      repeat(alone(firstLane), 4, stop),
    ),
  };
}
