import { describe, expect, test } from "vitest";
import { slowTest } from "../../../testing/slow-test.js";
import { buildProgram, type Scope } from "../src/language/build-program.js";
import type { Program } from "../src/language/program.js";
import { explained } from "../src/language/syntax-errors.js";
import type { Rule } from "../src/rule/rule.js";
import { combinations } from "../src/rule/options.js";
import { rules } from "../src/rules/index.js";
import { elementArrays } from "./language.js";
import { failureOf } from "./support.js";

const scope: Scope = {
  arrays: elementArrays(["p", "g", "m"]),
  scalars: ["a", "b"],
  isOutput: (name) => name === "p" || name === "m",
  onHost: false,
};

function build(text: string, changes: Partial<Scope> = {}): Program {
  return explained(() => buildProgram([{ text }], { ...scope, ...changes }));
}

/** The graph as text, one node per line: `2: add 0 1`. */
function listing({ nodes, outputs }: Program): string[] {
  return [
    ...nodes.map(({ op, operands, value, name }, i) =>
      [`${i}: ${op}`, ...operands, ...(op === "number" ? [value] : []), name].join(" ").trim(),
    ),
    ...outputs.map(({ name, node }) => `${name} = ${node}`),
  ];
}

describe("the graph", () => {
  test("contains every sub-expression once, operands first", () => {
    const program = build("m = (g + a) * (g + a)\np = p - (g + a)");
    expect(listing(program)).toEqual([
      "0: input g",
      "1: input a",
      "2: add 0 1",
      "3: mul 2 2",
      "4: input p",
      "5: sub 4 2",
      "m = 3",
      "p = 5",
    ]);
    expect(program.nodes.map(({ uses }) => uses)).toEqual([1, 1, 3, 1, 1, 1]);
  });

  test("contains only what outputs need", () => {
    const program = build("t = g / a\nu = t * t\nm = u + u\nm = g\np = p - u * 0 * t\np = p + m");
    expect(program.inputs.map(({ name }) => name)).toEqual(["g", "a", "p"]);
    const dead = build("m = sqrt(g)\nm = g\np = m");
    expect(listing(dead)).toEqual(["0: input g", "m = 0", "p = 0"]);
    const deeper = build("m = sqrt(g * a)\nm = g\np = m");
    expect(listing(deeper)).toEqual(["0: input g", "m = 0", "p = 0"]);
    expect(deeper.nodes[0].uses).toBe(2);
  });

  test("distinguishes −0 and 0", () => {
    const program = build("p = g * 0 + g * -0");
    expect(program.nodes.filter(({ op }) => op === "mul")).toHaveLength(2);
  });

  test("distinguishes a + b and b + a", () => {
    expect(build("p = g + m").fingerprint).not.toBe(build("p = m + g").fingerprint);
  });

  test("marks values that are the same for every element", () => {
    const program = build("t = sqrt(a * b) + 2\np = (a < b ? t : 1) * g");
    const varying = program.nodes.filter(({ varies }) => varies).map(({ op, name }) => name || op);
    expect(varying).toEqual(["g", "mul"]);
  });

  test("reads the current values of names", () => {
    expect(listing(build("t = m\nm = g\np = t + m"))).toEqual([
      "0: input m",
      "1: input g",
      "2: add 0 1",
      "m = 1",
      "p = 2",
    ]);
  });

  test("lists outputs in the order of their first assignment", () => {
    const { outputs } = build("m = g\np = p - m\nm = m + 1\np = p * a");
    expect(outputs.map(({ name }) => name)).toEqual(["m", "p"]);
  });

  test("lets the gradient be assigned to without making it an output", () => {
    expect(listing(build("g = g * a\np = p - g"))).toEqual([
      "0: input g",
      "1: input a",
      "2: mul 0 1",
      "3: input p",
      "4: sub 3 2",
      "p = 4",
    ]);
  });

  test("names of object properties can be used like others", () => {
    const program = build("constructor = g * 2\ntoString = constructor + 1\np = p - toString");
    expect(program.outputs.map(({ name }) => name)).toEqual(["p"]);
  });
});

describe("fingerprints", () => {
  test("do not depend on temporaries, comments and whitespace", () => {
    const one = build("m = m + (g - m) * a // average\np = p - m * b");
    const other = build("s = m + (g - m) *\n a\n\nm = s; t = (p)\np = t - s * b");
    expect(other.fingerprint).toBe(one.fingerprint);
    expect(one.fingerprint).toMatch(/^[0-9a-f]{16}$/);
  });

  test.each([
    ["p = p - g", "p = g - p"],
    ["p = p - g * 0.1", "p = p - g * 0.2"],
    ["p = p - g * a", "p = p - g * b"],
    ["m = g\np = g", "p = g"],
    ["m = p\np = g", "m = g\np = p"],
    ["p = g < a ? 1 : 2", "p = g <= a ? 1 : 2"],
  ])("of %j and %j differ", (one, other) => {
    expect(build(one).fingerprint).not.toBe(build(other).fingerprint);
  });

  test("depend on the order of slots, which kernels receive by position", () => {
    const text = "m = m + g\nv = v + g * g\np = p - m / v";
    const isOutput = (): boolean => true;
    const one = build(text, { arrays: elementArrays(["p", "g", "m", "v"]), isOutput });
    const other = build(text, { arrays: elementArrays(["p", "g", "v", "m"]), isOutput });
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });

  slowTest("of built-in rules are equal if and only if their graphs are", () => {
    const graphs = new Map<string, string>();
    const prints = new Map<string, string>();
    let seen = 0;
    for (const rule of rules) {
      for (const choices of combinations(shapeOf(rule))) {
        const { perElement, slots } = rule.variant(choices);
        const graph = [
          ...slots.map(({ name, extent }) => `${name} per ${extent}`),
          ...listing(perElement),
          ...perElement.nodes.map(({ extent }) => extent),
        ].join("\n");
        const { fingerprint } = perElement;
        expect(fingerprint).toMatch(/^[0-9a-f]{16}$/);
        expect(graphs.get(fingerprint) ?? graph).toBe(graph);
        expect(prints.get(graph) ?? fingerprint).toBe(fingerprint);
        graphs.set(fingerprint, graph);
        prints.set(graph, fingerprint);
        seen += 1;
      }
    }
    expect(seen).toBeGreaterThan(300);
    expect(graphs.size).toBe(prints.size);
    expect(graphs.size).toBeGreaterThan(40);
  });
});

test("combinations are all, once each, the first of the defaults", () => {
  expect([...combinations({ a: [false, true], b: ["x", "y"] })]).toEqual([
    { a: false, b: "x" },
    { a: true, b: "x" },
    { a: false, b: "y" },
    { a: true, b: "y" },
  ]);
  expect([...combinations({})]).toEqual([{}]);
});

function shapeOf({ options, structural }: Rule): Rule["options"] {
  return { ...options, ...Object.fromEntries(structural.map((key) => [key, [false, true]])) };
}

describe("errors", () => {
  test.each([
    ["an unknown name", "p = p - x", 1, 9],
    ["an unknown name in a later line", "t = g\np = t *\n  y", 3, 3],
    ["a name before its assignment", "p = t\nt = g", 1, 5],
    ["a temporary that nothing reads", "p = p - g\n  t = g", 2, 3],
    ["a misspelled slot", "mm = g\np = p - m", 1, 1],
    ["an assignment to a scalar", "p = g\na = 2", 2, 1],
    ["an assignment to a scalar that is read", "a = 2\np = g * a", 1, 1],
    ["a power", "p = g ** 2", 1, 7],
    ["a power of scalars", "p = g * a ** b", 1, 11],
    ["a rounding to f32", "p = f32(g)", 1, 5],
    ["a rounding to integers", "p = floor(g)", 1, 5],
    ["a name that every object has", "p = toString", 1, 5],
  ])("%s", (_, text, line, column) => {
    const { code, message } = failureOf(() => build(text));
    expect(code).toBe("RULE_SYNTAX");
    expect(message).toContain(`(line ${line}, column ${column})`);
  });

  test("point at the line in the faulty text", () => {
    const { message } = failureOf(() =>
      explained(() => buildProgram([{ text: "p = p * a\n\n" }, { text: "m = g\np = x" }], scope)),
    );
    expect(message).toContain("(line 2, column 5)");
    expect(message).toContain("  p = x\n");
  });

  test("the host has powers and f32", () => {
    expect(listing(build("p = f32(a ** b)", { onHost: true }))).toEqual([
      "0: input a",
      "1: input b",
      "2: pow 0 1",
      "3: f32 2",
      "p = 3",
    ]);
  });
});
