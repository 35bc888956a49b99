import { emit, type Program, type ReduceOp } from "@gradstep/core";
import { increase, plus } from "./address-arithmetic.js";
import {
  f32x4,
  fourLanes,
  i32Const,
  i32Shl,
  loadSplat,
  localGet,
  localSet,
  type Access,
} from "./instruction-set.js";
import { concat, i32, v128, type Code } from "./module-encoder.js";
import { simdOperations, type Operand, type OperandSource } from "./simd-operations.js";

/** Vectors that are loaded before the first of them is computed, each with its own locals (ADR 0015). */
const vectorsPerGroup = 2;

/** Vectors per loop iteration (ADR 0018): a power of two, and a multiple of `vectorsPerGroup`. */
export const vectorsPerIteration = 8;

/** Where a kernel finds an input: an array of vectors, or the address of one value. */
export type Input =
  | { readonly kind: "vectors"; readonly pointer: number }
  | {
      readonly kind: "value";
      readonly frequency: "call" | "row";
      readonly address: Code;
      /** Bytes from the address to the value; 0 if left out. */
      readonly offset?: number;
    };

/** What happens to an output. Lanes of a register are 16 sums side by side, in four vectors. */
export type Output =
  | { readonly kind: "store"; readonly pointer: number }
  | { readonly kind: "accumulate"; readonly pointer: number; readonly op: ReduceOp }
  | { readonly kind: "lanes"; readonly index: number; readonly op: ReduceOp };

/** Locals of a function. */
export class Locals {
  /** Their types. */
  readonly types: number[] = [];
  readonly #parameters: number;

  constructor(parameters: number) {
    this.#parameters = parameters;
  }

  i32(): number {
    return this.#add(i32);
  }

  v128(): number {
    return this.#add(v128);
  }

  #add(type: number): number {
    return this.#parameters + this.types.push(type) - 1;
  }
}

/** Where the lanes of a vector are joined to those before: in registers, or in memory. */
export type LanesOf = (index: number) => { readonly register: number } | { readonly memory: Code };

export const instructionOf: Record<ReduceOp, Code> = { sum: f32x4.add, maximum: f32x4.max };

/** One vector of a program, with locals of its own. All loads come before any store. */
export interface VectorCode {
  load(access: Access, offset: number): Code;
  /** @param lanesOf is needed for outputs that have lanes */
  compute(access: Access, offset: number, lanesOf?: LanesOf): Code;
}

/** A program as code for vectors, and what it needs before its loops. */
export interface VectorProgram {
  readonly vectors: readonly VectorCode[];
  /** To be computed once per call, and once per row. */
  readonly perCall: Code;
  readonly perRow: Code;
  /** Adds bytes to all pointers. */
  readonly advance: (bytes: number) => Code;
}

/** Where a kernel finds the inputs of a program, and what happens to its outputs, by their names. */
export interface ProgramPlaces {
  readonly inputOf: (name: string) => Input;
  readonly outputOf: (name: string) => Output;
}

/** Translates a program: a group of vectors. */
export function vectorProgram(
  program: Program,
  { inputOf, outputOf }: ProgramPlaces,
  locals: Locals,
): VectorProgram {
  const before = { call: [] as Code[], row: [] as Code[] };
  const known = new Map<string, Operand>();
  const pointers = new Set<number>();
  const computeBefore = (code: Code, frequency: "call" | "row"): Operand => {
    const key = code.join();
    const found = known.get(key);
    if (found !== undefined) return found;
    const local = locals.v128();
    before[frequency].push(code, localSet(local));
    const operand: Operand = { code: localGet(local), frequency };
    known.set(key, operand);
    return operand;
  };
  const vector = (): VectorCode => {
    const loads: { readonly pointer: number; readonly local: number }[] = [];
    const shared: Code[] = [];
    const source: OperandSource = {
      input(name) {
        const input = inputOf(name);
        if (input.kind === "value")
          return computeBefore(
            concat(input.address, loadSplat(input.offset ?? 0)),
            input.frequency,
          );
        const local = locals.v128();
        pointers.add(input.pointer);
        loads.push({ pointer: input.pointer, local });
        return { code: localGet(local), frequency: "vector" };
      },
      share(code, frequency) {
        if (frequency !== "vector") return computeBefore(code, frequency);
        const local = locals.v128();
        shared.push(code, localSet(local));
        return { code: localGet(local), frequency };
      },
      hoist: (code) => computeBefore(code, "call"),
      newLocal: () => locals.v128(),
    };
    const outputs = emit(program, simdOperations(source)).map(({ name, value }) => ({
      to: outputOf(name),
      value: value.code,
    }));
    for (const { to } of outputs) if (to.kind !== "lanes") pointers.add(to.pointer);
    const join = (
      { to, value }: (typeof outputs)[number],
      access: Access,
      offset: number,
      lanesOf: LanesOf | undefined,
    ): Code => {
      if (to.kind === "store") return concat(localGet(to.pointer), value, access.store(offset));
      const instruction = instructionOf[to.op];
      const joinInMemory = (address: Code, at: number): Code =>
        concat(address, address, access.load(at), value, instruction, access.store(at));
      if (to.kind === "accumulate") return joinInMemory(localGet(to.pointer), offset);
      const lanes = lanesOf!(to.index);
      if ("memory" in lanes) return joinInMemory(lanes.memory, 0);
      return concat(localGet(lanes.register), value, instruction, localSet(lanes.register));
    };
    return {
      load: (access, offset) =>
        concat(
          ...loads.map(({ pointer, local }) =>
            concat(localGet(pointer), access.load(offset), localSet(local)),
          ),
        ),
      compute: (access, offset, lanesOf) =>
        concat(shared, ...outputs.map((output) => join(output, access, offset, lanesOf))),
    };
  };
  const vectors = Array.from({ length: vectorsPerGroup }, vector);
  return {
    vectors,
    perCall: before.call,
    perRow: before.row,
    advance: (bytes) =>
      concat(...[...pointers].map((pointer) => increase(pointer, i32Const(bytes)))),
  };
}

/**
 * The body of a loop: `vectorsPerIteration` vectors, group by group.
 * @param lanesOf where the lanes of a vector of the iteration are, if outputs have lanes
 */
export function iterationOf(
  { vectors }: VectorProgram,
  lanesOf?: (vector: number) => LanesOf,
): Code {
  const groups: Code[] = [];
  for (let v = 0; v < vectorsPerIteration; v += vectors.length) {
    groups.push(...vectors.map((vector, i) => vector.load(fourLanes, 16 * (v + i))));
    groups.push(
      ...vectors.map((vector, i) => vector.compute(fourLanes, 16 * (v + i), lanesOf?.(v + i))),
    );
  }
  return concat(...groups);
}

/** The address of the value at an index of an array. */
export const elementAddress = (array: Code, index: Code): Code =>
  plus(array, concat(index, i32Const(2), i32Shl));
