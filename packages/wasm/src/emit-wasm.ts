import {
  emit,
  simplify,
  smallestNormal,
  type Emitter,
  type Settled,
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
  i32Const,
  i32Eqz,
  i32LeU,
  i32Load,
  i32LtU,
  i32Shl,
  i32Sub,
  loadSplat,
  loop,
  set,
  tee,
  v128And,
  v128AndNot,
  v128Or,
  v128Select,
  type Access,
} from "./instructions.js";
import { i32, join, v128, type Code, type WasmFunction } from "./module.js";

/** Code that leaves a value on the stack. */
interface Piece {
  readonly code: Code;
  /** Whether it differs between elements; otherwise it belongs before the loop. */
  readonly varies: boolean;
}

/** Gives a value a local: computed where the stream of code is, used from there on. */
type Share = (code: Code, varies: boolean) => Piece;

/** The table from operations to SIMD instructions. Each is the reference's operation, bit for bit. */
function emitter(
  input: (name: string) => Piece,
  share: Share,
  temporary: () => number,
): Emitter<Piece> {
  const constants = new Map<string, Piece>();
  const constant = (value: number): Piece => {
    const code = join(f32Const(value), f32x4.splat);
    const piece = constants.get(code.join()) ?? share(code, false);
    constants.set(code.join(), piece);
    return piece;
  };
  const plain =
    (instruction: Code) =>
    (...operands: Piece[]): Piece => ({
      code: join(...operands.map(({ code }) => code), instruction),
      varies: operands.some(({ varies }) => varies),
    });
  // A condition may be used more than once, and a rule's text could nest such uses: each gets a local.
  const compare =
    (instruction: Code) =>
    (...operands: Piece[]): Piece => {
      const { code, varies } = plain(instruction)(...operands);
      return share(code, varies);
    };
  return {
    number: constant,
    input,
    neg: plain(f32x4.neg),
    abs: plain(f32x4.abs),
    sqrt: plain(f32x4.sqrt),
    // 1 with the sign of x where 0 < |x|; x itself where it is ±0 or NaN.
    sign: (x) => {
      const local = temporary();
      const signed = join(constant(-0).code, v128And, constant(1).code, v128Or);
      const isSigned = join(constant(0).code, get(local), f32x4.abs, f32x4.lt);
      return plain(join(tee(local), signed, get(local), isSigned, v128Select))(x);
    },
    flush: (x) => {
      const local = temporary();
      const isSmall = join(get(local), f32x4.abs, constant(smallestNormal).code, f32x4.lt);
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
    select: (condition, a, b) => plain(v128Select)(a, b, condition),
    share: ({ code }, varies) => share(code, varies),
  };
}

/** Vectors in each turn of the loop: more gain nothing, fewer pay for the engine's interrupt check. */
const unrolled = 2;

/** Leaves the address of a row's scalars on the stack, in place of the row's own. */
export function scalarsOf({ slots }: Variant): Code {
  return i32Load(4 * (3 + slots.length));
}

/**
 * A variant as a wasm function `(row, start, end)`: updates the elements from `start` to before `end`.
 *
 * @param settled scalars whose values are known; what they leave undone is left out.
 */
export function emitWasm(variant: Variant, settled: Settled = new Map()): WasmFunction {
  const { perElement, slots, scalars } = variant;
  const [row, start, stop] = [0, 1, 2];
  const arrays = ["p", "g", ...slots.map(({ name }) => name)];
  const pointer = (name: string): number => 3 + arrays.indexOf(name);
  const limit = 3 + arrays.length;
  let vectors = 0;
  const temporary = (): number => {
    vectors += 1;
    return limit + vectors;
  };

  const before: number[] = [];
  const element: number[] = [];
  const loads: { readonly pointer: number; readonly local: number }[] = [];
  const share: Share = (code, varies) => {
    const local = temporary();
    (varies ? element : before).push(...code, ...set(local));
    return { code: get(local), varies };
  };
  const input = (name: string): Piece => {
    if (scalars.includes(name))
      return share(join(get(row), loadSplat(4 * scalars.indexOf(name))), false);
    const local = temporary();
    loads.push({ pointer: pointer(name), local });
    return { code: get(local), varies: true };
  };
  const outputs = emit(simplify(perElement, settled), emitter(input, share, temporary));

  /** One vector: everything is read before anything is written. */
  const body = ({ load, store }: Access, offset: number): Code =>
    join(
      ...loads.map((one) => join(get(one.pointer), load(offset), set(one.local))),
      element,
      ...outputs.map(({ name, value }) => join(get(pointer(name)), value.code, store(offset))),
    );
  /** Repeats a body that covers so many bytes, while the pointer to `p` compares with the bound. */
  const repeat = (code: Code, bytes: number, bound: number, comparison: Code): Code =>
    join(
      join(block, loop, get(pointer("p")), get(bound), comparison, i32Eqz, branchIf(1)),
      code,
      ...arrays.map((_, i) => join(get(3 + i), i32Const(bytes), i32Add, set(3 + i))),
      join(branch(0), end, end),
    );
  const bytes = 16 * unrolled;
  const turn = join(...Array.from({ length: unrolled }, (_, i) => body(fourLanes, 16 * i)));
  const inBytes = (local: number): Code => join(get(local), i32Const(2), i32Shl);
  return {
    parameters: 3,
    locals: [...arrays.map(() => i32), i32, ...Array<number>(vectors).fill(v128)],
    body: join(
      ...arrays.map((_, i) =>
        join(get(row), i32Load(4 * (1 + i)), inBytes(start), i32Add, set(3 + i)),
      ),
      join(get(row), i32Load(4), inBytes(stop), i32Add, tee(stop)),
      join(i32Const(bytes), i32Sub, set(limit)),
      // From here on it is the address of the scalars.
      join(get(row), scalarsOf(variant), set(row)),
      before,
      repeat(turn, bytes, limit, i32LeU),
      repeat(body(firstLane, 0), 4, stop, i32LtU),
    ),
  };
}
