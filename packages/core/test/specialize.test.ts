import { describe, expect, test } from "vitest";
import { bytecodeOf } from "../src/language/bytecode.js";
import { interpret } from "../src/language/interpret.js";
import { buildProgram } from "../src/language/build-program.js";
import type { Program } from "../src/language/program.js";
import { flushedSlotsOf, knownScalarsOf, specialize } from "../src/language/specialize.js";
import { elementArrays } from "./language.js";
import { numbers } from "./support.js";

function build(text: string): Program {
  return buildProgram([{ text }], {
    arrays: elementArrays(["p", "g", "m", "v"]),
    scalars: ["decay", "rate", "below", "under"],
    isOutput: (name) => ["p", "m", "v"].includes(name),
    onHost: false,
  });
}

/** The outputs for these inputs, in f32. */
function evaluate(program: Program, inputs: Readonly<Record<string, number>>): number[] {
  const values = new Float64Array(program.nodes.length);
  for (const { name, node } of program.inputs) values[node] = inputs[name];
  interpret(bytecodeOf(program), values, "f32");
  return program.outputs.map(({ node }) => values[node]);
}

const operations = ({ nodes }: Program): string[] =>
  nodes.filter(({ op, uses }) => uses > 0 && op !== "input").map(({ op }) => op);

const text = `
  m = abs(m) < below ? 0 : m
  v = abs(v) < under ? 0 : v
  m = m + g * rate
  v = v + m * m
  p = p * decay
  p = p - m * rate / (sqrt(v) + rate)`;

describe("values that make a step simpler", () => {
  test("are those of scalars, not of slots that all elements of a tensor share", () => {
    const program = buildProgram([{ text: "p = p * d" }], {
      arrays: new Map([
        ["p", "element"],
        ["d", "all"],
      ]),
      scalars: [],
      isOutput: (name) => name === "p",
      onHost: false,
    });
    expect(knownScalarsOf(program).size).toBe(0);
  });

  test("are a decay of 1, and thresholds of 0", () => {
    expect([...knownScalarsOf(build(text))]).toEqual(
      expect.arrayContaining([
        ["below", 0],
        ["under", 0],
        ["decay", 1],
      ]),
    );
    expect(knownScalarsOf(build(text)).size).toBe(3);
  });

  test.each([
    ["a factor of something else", "p = p - g * rate"],
    ["a factor that varies", "p = p * g - m"],
    ["a sum", "p = p + rate"],
    ["another comparison", "p = abs(p) <= below ? 0 : p"],
    ["a threshold of the value itself", "p = p < below ? 0 : p"],
    ["a threshold that varies", "p = abs(p) < g ? 0 : p"],
    ["a number", "p = abs(p) < 0.5 ? 0 : p * 2"],
  ])("are not %s", (_, line) => {
    expect([...knownScalarsOf(build(line))]).toEqual([]);
  });

  test("leave out what they make redundant, and nothing else", () => {
    const program = build(text);
    const count = (one: Program, op: string): number =>
      operations(one).filter((other) => other === op).length;
    const known = (names: Readonly<Record<string, number>>): Program =>
      specialize(program, new Map(Object.entries(names)));
    const counts = (one: Program): number[] => ["mul", "select", "lt"].map((op) => count(one, op));
    expect(counts(program)).toEqual([4, 2, 2]);
    expect(counts(known({ decay: 1 }))).toEqual([3, 2, 2]);
    expect(counts(known({ below: 0 }))).toEqual([4, 1, 1]);
    expect(counts(known({ decay: 1, below: 0, under: 0 }))).toEqual([3, 0, 0]);
    // Other values make nothing redundant.
    expect(counts(known({ decay: 0, below: 1, under: -1 }))).toEqual([4, 2, 2]);
    expect(counts(known({ rate: 1 }))).toEqual([2, 2, 2]);
    expect(counts(known({}))).toEqual([4, 2, 2]);
  });

  test("a comparison, an operation or a factor that only resembles them stays", () => {
    const known = new Map([
      ["decay", 1],
      ["below", 0],
    ]);
    for (const line of [
      "p = p + decay",
      "p = decay - p",
      "p = p / decay",
      "p = max(p, decay)",
      "p = p < below ? 0 : g",
      "p = abs(p) <= below ? 0 : g",
      "p = below < abs(p) ? 0 : g",
      "p = sqrt(p) < below ? 0 : g",
    ]) {
      const program = build(line);
      expect(operations(specialize(program, known))).toEqual(operations(program));
    }
  });

  test("give the same bits", () => {
    const program = build(text);
    const scalars = { decay: 1, below: 0, under: 0, rate: 0.125 };
    const simpler = specialize(program, knownScalarsOf(program));
    const random = numbers(400, 1);
    for (let i = 0; i < random.length; i += 4) {
      const [p, g, m, v] = random.subarray(i, i + 4);
      const inputs = { p, g, m, v: Math.abs(v), ...scalars };
      expect(evaluate(simpler, inputs)).toEqual(evaluate(program, inputs));
    }
    for (const value of [0, -0, Infinity, Number.NaN, 1e-45]) {
      const inputs = { p: value, g: value, m: value, v: value, ...scalars };
      expect(evaluate(simpler, inputs)).toEqual(evaluate(program, inputs));
    }
  });

  test("count the uses that are left", () => {
    const { nodes } = specialize(build("p = p * decay\np = p - g * g"), new Map([["decay", 1]]));
    expect(nodes.map(({ op, name, uses }) => [name || op, uses])).toEqual([
      ["p", 1],
      ["decay", 0],
      ["mul", 0],
      ["g", 2],
      ["mul", 1],
      ["sub", 1],
    ]);
  });
});

describe("slots that can be cleared in a pass of their own", () => {
  test("are those that are read below their thresholds alone", () => {
    expect(flushedSlotsOf(build(text))).toEqual([
      { slot: "m", threshold: "below" },
      { slot: "v", threshold: "under" },
    ]);
    const shared = "m = abs(m) < below ? 0 : m\nv = abs(v) < below ? 0 : v\np = p - m * v";
    expect(flushedSlotsOf(build(shared))).toEqual([
      { slot: "m", threshold: "below" },
      { slot: "v", threshold: "below" },
    ]);
  });

  test.each([
    ["the parameter", "p = abs(p) < below ? 0 : p"],
    ["the gradient", "m = abs(g) < below ? 0 : g\np = p - m"],
    ["a temporary", "t = m + g\nm = abs(t) < below ? 0 : t\np = p - m"],
    ["a slot that is not assigned", "t = abs(m) < below ? 0 : m\np = p - t"],
    ["a slot that is also read as it is", "t = m\nm = abs(m) < below ? 0 : m\np = p - m * t"],
    ["a slot whose magnitude is also read", "v = abs(m)\nm = abs(m) < below ? 0 : m\np = p - m"],
    ["a slot that becomes another number", "m = abs(m) < below ? 1 : m\np = p - m"],
    ["a slot that becomes −0", "m = abs(m) < below ? -0 : m\np = p - m"],
    ["a slot that becomes a scalar", "m = abs(m) < below ? rate : m\np = p - m"],
    ["a slot that becomes another", "m = abs(m) < below ? 0 : v\np = p - m"],
    ["the magnitude of another", "m = abs(v) < below ? 0 : m\np = p - m"],
    [
      "the magnitude of another, with two uses",
      "t = m * g\nm = abs(v) < below ? 0 : m\np = p - m * t",
    ],
    ["the root of a slot", "m = sqrt(m) < below ? 0 : m\np = p - m"],
    [
      "a slot and its magnitude that are also read",
      "v = abs(m) * m\nm = abs(m) < below ? 0 : m\np = p - m",
    ],
    ["a slot without its magnitude", "m = m < below ? 0 : m\np = p - m"],
    ["a slot at its threshold, too", "m = abs(m) <= below ? 0 : m\np = p - m"],
    ["a threshold that varies", "m = abs(m) < g ? 0 : m\np = p - m"],
    ["a threshold that is a number", "m = abs(m) < 0.5 ? 0 : m\np = p - m"],
    ["a threshold with another use", "m = abs(m) < below ? 0 : m\np = p - m * below"],
    [
      "a condition with another use",
      "t = abs(m) < below ? g : p\nm = abs(m) < below ? 0 : m\np = p - m * t",
    ],
  ])("are not: %s", (_, line) => {
    expect(flushedSlotsOf(build(line))).toEqual([]);
  });

  test("are one of two, where the other's threshold is read, too", () => {
    const program = build(
      "m = abs(m) < below ? 0 : m\nv = abs(v) < under ? 0 : v\np = p - m * v * under",
    );
    expect(flushedSlotsOf(program)).toEqual([{ slot: "m", threshold: "below" }]);
  });
});
