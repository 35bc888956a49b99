import fc from "fast-check";
import { expect, test } from "vitest";
import { emit, type Emitter } from "../src/language/emit.js";
import { interpret } from "../src/language/interpret.js";
import { buildProgram } from "../src/language/build-program.js";
import type { Program } from "../src/language/program.js";
import { bytecodeOf } from "../src/language/bytecode.js";
import { elementArrays, printLines, programs, singles } from "./language.js";

type Read = (name: string) => number;
/** A value that is computed on demand. */
type Closure = (read: Read) => number;

interface Shared {
  readonly varies: boolean;
  evaluations: number;
}

/** An emitter of closures; `shared` records the calls of `share`. */
function closures(shared: Shared[]): Emitter<Closure> {
  const one =
    (f: (a: number) => number) =>
    (a: Closure): Closure =>
    (read) =>
      f(a(read));
  const two =
    (f: (a: number, b: number) => number) =>
    (a: Closure, b: Closure): Closure =>
    (read) =>
      f(a(read), b(read));
  return {
    number: (value) => () => value,
    input: (name) => (read) => read(name),
    neg: one((a) => -a),
    abs: one(Math.abs),
    sqrt: one(Math.sqrt),
    sign: one(Math.sign),
    flush: one((a) => (Math.abs(a) < 2 ** -126 ? 0 : a)),
    isFinite: one((a) => Number(Number.isFinite(a))),
    add: two((a, b) => a + b),
    sub: two((a, b) => a - b),
    mul: two((a, b) => a * b),
    div: two((a, b) => a / b),
    min: two(Math.min),
    max: two(Math.max),
    lt: two((a, b) => Number(a < b)),
    le: two((a, b) => Number(a <= b)),
    eq: two((a, b) => Number(a === b)),
    ne: two((a, b) => Number(a !== b)),
    select: (c, a, b) => (read) => (c(read) === 1 ? a(read) : b(read)),
    share: (value, varies) => {
      const record: Shared = { varies, evaluations: 0 };
      shared.push(record);
      let known: number | undefined;
      return (read) => {
        if (known === undefined) {
          record.evaluations += 1;
          known = value(read);
        }
        return known;
      };
    },
  };
}

function build(text: string, scalars: readonly string[] = []): Program {
  return buildProgram([{ text }], {
    arrays: elementArrays(["p", "g", "m", "v"]),
    scalars,
    isOutput: (name) => "pmv".includes(name),
    onHost: false,
  });
}

test("an emitter of closures computes what the interpreter computes", () => {
  const names = ["p", "g", "m", "v", "a", "b"];
  const inputs = fc.record(Object.fromEntries(names.map((name) => [name, singles])));
  fc.assert(
    fc.property(programs(["p", "m", "v"], names), inputs, (lines, given) => {
      const program = build(printLines(lines), ["a", "b"]);
      const values = new Float64Array(program.nodes.length);
      for (const { name, node } of program.inputs) values[node] = given[name];
      interpret(bytecodeOf(program), values);

      const shared: Shared[] = [];
      const results = emit(program, closures(shared));
      expect(results.map(({ name }) => name)).toEqual(program.outputs.map(({ name }) => name));
      results.forEach(({ value }, i) => {
        expect(value((name) => given[name])).toBe(values[program.outputs[i].node]);
      });
      for (const { evaluations } of shared) expect(evaluations).toBeLessThanOrEqual(1);

      const isCondition = (op: string): boolean => ["lt", "le", "eq", "ne"].includes(op);
      const expected = program.nodes.filter(
        ({ op, uses, varies }) =>
          op !== "number" && op !== "input" && (uses > 1 || (!varies && !isCondition(op))),
      );
      expect(shared.map(({ varies }) => varies)).toEqual(expected.map(({ varies }) => varies));
    }),
    { numRuns: 300 },
  );
});

test("a value that is used once is not shared", () => {
  const shared: Shared[] = [];
  emit(build("p = p - sqrt(g * g + m)"), closures(shared));
  expect(shared).toEqual([]);
});

test("a value that is used twice is shared once", () => {
  const shared: Shared[] = [];
  emit(build("m = m + g\nv = m * m\np = p - m / (v + g)"), closures(shared));
  expect(shared).toHaveLength(2);
});

test("a value that does not vary is shared before the loop", () => {
  const shared: Shared[] = [];
  emit(build("p = p - g * sqrt(a + b)", ["a", "b"]), closures(shared));
  expect(shared.map(({ varies }) => varies)).toEqual([false, false]);
});

test("an emitter is told which inputs and values vary", () => {
  const heard: string[] = [];
  const emitter: Emitter<string> = {
    ...(Object.fromEntries(
      ["neg", "abs", "sqrt", "sign", "flush", "isFinite", "add", "sub", "mul", "div", "min", "max"]
        .concat(["lt", "le", "eq", "ne", "select"])
        .map((op) => [op, (...operands: string[]) => `${op}(${operands.join(",")})`]),
    ) as unknown as Emitter<string>),
    number: String,
    input: (name, varies) => {
      heard.push(`${name} ${varies}`);
      return name;
    },
    share: (value) => value,
  };
  const [{ name, value }] = emit(build("p = g < a ? -p : max(p, 0.5)", ["a"]), emitter);
  expect(name).toBe("p");
  expect(value).toBe("select(lt(g,a),neg(p),max(p,0.5))");
  expect(heard).toEqual(["g true", "a false", "p true"]);
});
