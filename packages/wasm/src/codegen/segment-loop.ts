import type { ReduceOp } from "@gradstep/core";
import { assign, increase, minus, plus } from "./address-arithmetic.js";
import {
  block,
  br,
  brIf,
  end,
  firstLane,
  fourLanes,
  i32And,
  i32Const,
  i32Eqz,
  i32LtU,
  i32Shl,
  ifThen,
  localGet,
  localSet,
  loop,
  type Access,
} from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";
import {
  iterationOf,
  vectorsPerIteration,
  type LanesOf,
  type Locals,
  type VectorProgram,
} from "./vector-program.js";

/** Vectors of 16 lanes. An iteration of the loop computes two rounds of them. */
const vectorsOfLanes = 4;

/** 16 sums side by side, in memory at the address in a local. */
export interface Lanes {
  readonly op: ReduceOp;
  readonly address: number;
}

/** The locals of a segment: the next position, and the one after the last. */
interface Segment {
  readonly position: number;
  readonly limit: number;
}

/**
 * Computes the positions from a local to before another. The pointers of the program must be at the first of them.
 *
 * With lanes, position i is joined to lane i mod 16: whole rounds of lanes are, in registers, and others in memory.
 */
export function segmentLoop(
  program: VectorProgram,
  lanes: readonly Lanes[],
  { position, limit }: Segment,
  locals: Locals,
): Code {
  const {
    vectors: [first],
    advance,
  } = program;
  const hasLanes = lanes.length > 0;
  const registers = lanes.map(() => Array.from({ length: vectorsOfLanes }, () => locals.v128()));
  const laneOffset = hasLanes ? locals.i32() : 0;
  const inMemory: LanesOf = (index) => ({
    memory: plus(localGet(lanes[index].address), localGet(laneOffset)),
  });
  const iteration = iterationOf(program, (vector) => (index) => ({
    register: registers[index][vector % vectorsOfLanes],
  }));
  const forEachRegister = (code: (address: number, local: number, offset: number) => Code): Code =>
    concat(
      ...lanes.flatMap(({ address }, k) =>
        registers[k].map((local, v) => code(address, local, 16 * v)),
      ),
    );
  const remain = (count: number): Code =>
    concat(i32Const(count - 1), minus(localGet(limit), localGet(position)), i32LtU);
  const move = (count: number): Code =>
    concat(advance(4 * count), increase(position, i32Const(count)));
  const isMultiple = (multiple: number): Code =>
    hasLanes ? concat(localGet(position), i32Const(multiple - 1), i32And, i32Eqz, i32And) : [];
  const single = (access: Access, count: number): Code =>
    concat(first.load(access, 0), first.compute(access, 0, inMemory), move(count));
  return concat(
    concat(block, loop, localGet(position), localGet(limit), i32LtU, i32Eqz, brIf(1)),
    concat(remain(4 * vectorsPerIteration), isMultiple(4 * vectorsOfLanes), ifThen),
    forEachRegister((address, local, offset) =>
      concat(localGet(address), fourLanes.load(offset), localSet(local)),
    ),
    concat(loop, iteration, move(4 * vectorsPerIteration)),
    concat(remain(4 * vectorsPerIteration), brIf(0), end),
    forEachRegister((address, local, offset) =>
      concat(localGet(address), localGet(local), fourLanes.store(offset)),
    ),
    concat(br(1), end),
    hasLanes
      ? assign(
          laneOffset,
          concat(localGet(position), i32Const(4 * vectorsOfLanes - 1), i32And, i32Const(2), i32Shl),
        )
      : [],
    concat(remain(4), isMultiple(4), ifThen, single(fourLanes, 4), br(1), end),
    concat(single(firstLane, 1), br(0), end, end),
  );
}
