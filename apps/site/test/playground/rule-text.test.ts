import type { Rule } from "@gradstep/core";
import { cpuJs } from "@gradstep/cpu-js";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import { isFull } from "../../../../testing/cases.js";
import { specOf } from "../../src/playground/optimizer-spec.js";
import { tracePath } from "../../src/playground/path.js";
import { ruleFromText, RuleTextError } from "../../src/playground/rule-text.js";
import { ruleProgram, ruleTextOf } from "../../src/playground/rule-text-of.js";
import { parseRunners } from "../../src/playground/runner-text.js";
import type { OwnRules } from "../../src/playground/runner.js";

const race = {
  formula: "(1 - x)^2 + 10*(y - x^2)^2",
  start: [-1.2, 1],
  steps: 25,
  noise: 0,
  seed: 1,
} as const;

/** The defaults, each option with each other value, each structural hyperparameter with a value, and weight decay. */
const cases = rules.flatMap((rule) => {
  const options = Object.entries(rule.options).flatMap(([name, values]) =>
    values.slice(1).map((value) => ({ [name]: value })),
  );
  const structural = rule.structural.map((name) => ({ [name]: 0.5 }));
  return [{}, { weightDecay: 0.1 }, ...options, ...structural].map((settings) => ({
    title: `${rule.name} ${JSON.stringify(settings)}`,
    rule,
    settings: { learningRate: rule.name === "prodigy" ? 1 : 0.01, ...settings } as Record<
      string,
      number | boolean | string
    >,
  }));
});

// A sample has the defaults and the last case of each rule. `maximize` and the form of weight decay belong to every rule; the text is that of the rule alone.
const own = cases.filter(
  ({ settings }, i) =>
    settings.maximize === undefined &&
    (isFull || Object.keys(settings).length === 1 || cases[i + 1]?.rule !== cases[i].rule),
);

test.each(own)("$title: the rule of its text takes the same way, bit for bit", async (one) => {
  const { rule, settings } = one;
  const backend = cpuJs({ exact: true });
  const text = ruleTextOf(rule, settings);
  const part = (name: string, given: typeof settings) => [{ name, settings: given }];
  const builtIn = await tracePath(backend, specOf(part(rule.name, settings), {}), race);
  const edited = await tracePath(backend, specOf(part("edited", {}), { edited: text }), race);
  expect(edited).toEqual(builtIn);
  expect(builtIn.points.slice(-2)).not.toEqual(builtIn.points.slice(0, 2));
});

const text = `// Momentum
hyperparameters:
  learningRate = 0.1, min 0
  beta = 0.9, min 0, below 1

slots:
  m = 0
perStep:
  c = 1 - beta
perElement:
  m = m * beta + g * c
  u = m *
    learningRate
`;

describe("errors are at their line and column", () => {
  test.each([
    ["* beta + g", "* bta + g", 11, 11, '"bta" has no value here'],
    ["m *\n", "m **\n", 12, 9, '"**" is for scalars'],
    ["1 - beta", "1 -", 9, 10, "expected a number, a name"],
    ["= 0.1, min 0", "= fast", 3, 18, 'Got "fast"; expected a number'],
    ["below 1", "less 1", 4, 22, 'Got "less 1"; expected a bound'],
    ["perStep:", "perStp:", 8, 1, 'no section "perStp"'],
    ["// Momentum", "m = 1", 1, 1, "Expected a section first"],
    ["  m = 0\n", "  m = 0\n  w = 0\n", 8, 3, "w"],
    ["  m = 0\n", "  m: 0\n", 7, 3, "Expected a name with its first value"],
    ["  m = 0\n", "  m = 0 per cell\n", 7, 7, 'Got "0 per cell"'],
    ["  m = 0\n", "  m = 0\n  m = 1\n", 8, 3, '"m" is here twice'],
    ["  m = 0\n", "  m = 0\n  __proto__ = 0\n", 8, 3, '"__proto__" cannot be a name'],
    ["beta = 0.9", "beta = 1.9", 4, 3, "beta is 1.9"],
    ["  learningRate = 0.1, min 0\n", "", 1, 1, "learningRate"],
  ])("%j → %j", (from, to, line, column, message) => {
    const changed = text.replace(from, () => to);
    expect(changed).not.toBe(text);
    const error = failureOf(changed);
    expect(error.message).toContain(message);
    expect(error.message).not.toContain("\n");
    expect([error.line, error.column]).toEqual([line, column]);
  });

  test("the text without a mistake is a rule", () => {
    const rule = ruleFromText("momentum", text);
    expect(rule.hyperparameters.beta).toEqual({ default: 0.9, min: 0, below: 1 });
    expect(rule.variant().slots.map(({ name }) => name)).toEqual(["m"]);
  });
});

test("a program of the rule", () => {
  expect(ruleProgram("my-momentum", text)).toBe(`import { defineRule } from "gradstep";

export const myMomentum = defineRule({
  name: "my-momentum",
  hyperparameters: { learningRate: { default: 0.1, min: 0 }, beta: { default: 0.9, min: 0, below: 1 } },
  slots: { m: 0 },
  perStep: \`
    c = 1 - beta
  \`,
  perElement: \`
    m = m * beta + g * c
    u = m *
    learningRate
  \`,
});
`);
});

describe("choices", () => {
  const chosen = `hyperparameters:
  learningRate = 0.01, min 0
  momentum = 0.9, min 0, below 1
options:
  nesterov = false, true
  form = sum, mean
slots:
  m = 0
  when form = mean: count = 0 per all
perStep:
  when form = mean: weight = 1 - momentum
perElement:
  when form = mean: count = count + 1
  when form = sum: m = m * momentum + g
  when form = mean: m = m * momentum + g * weight
  when nesterov = false: u = m * learningRate
  when nesterov = true: u = (m * momentum + g) * learningRate
`;
  const paths = async (rules: OwnRules, ...runners: string[]) => {
    const backend = cpuJs({ exact: true });
    return Promise.all(
      runners.map((one) => tracePath(backend, specOf(parseRunners(one)[0].parts, rules), race)),
    );
  };

  test("select the lines of a rule", async () => {
    const rule = ruleFromText("mine", chosen);
    expect(rule.options).toMatchObject({ nesterov: [false, true], form: ["sum", "mean"] });
    expect(rule.variant().slots.map(({ name }) => name)).toEqual(["m"]);
    expect(rule.variant({ form: "mean" }).slots.map(({ name }) => name)).toEqual(["m", "count"]);
    // The first values are the defaults. Lines that are not chosen do not count.
    const settings = "learningRate:0.01,momentum:0.9";
    const [sum, summed, nesterov, mean] = await paths(
      { mine: chosen },
      "mine",
      "mine(form:sum,nesterov:false)",
      "mine(nesterov:true)",
      "mine(form:mean)",
    );
    const [builtIn, builtInNesterov] = await paths(
      {},
      `sgd(${settings},momentumForm:torch)`,
      `sgd(${settings},momentumForm:torch,nesterov:true)`,
    );
    expect(sum).toEqual(builtIn);
    expect(summed).toEqual(sum);
    expect(nesterov.points[2]).toBeCloseTo(builtInNesterov.points[2], 5);
    expect(nesterov.points.at(-1)).toBeCloseTo(builtInNesterov.points.at(-1)!, 4);
    expect(mean).not.toEqual(sum);
  });

  test.each([
    ["when nesterov = true:", "when nestrov = true:", 17, 8, 'no option "nestrov"'],
    ["when nesterov = true:", "when nesterov = yes:", 17, 8, "expected false or true"],
    ["nesterov = false, true", "nesterov = false, false", 5, 21, 'Got "false"'],
    // A mistake in what is not the default.
    ["+ g) * learningRate", "+ gg) * learningRate", 17, 45, '"gg" has no value here'],
    ["  learningRate = 0.01", "  when form = sum: learningRate = 0.01", 2, 3, "part of every rule"],
  ])("%j → %j is an error at its place", (from, to, line, column, message) => {
    const changed = chosen.replace(from, () => to);
    expect(changed).not.toBe(chosen);
    const error = failureOf(changed);
    expect(error.message).toContain(message);
    expect([error.line, error.column]).toEqual([line, column]);
  });

  test("are functions of the options in a program", async () => {
    const program = ruleProgram("mine", chosen);
    expect(program).toContain('options: { nesterov: [false, true], form: ["sum", "mean"] }');
    // The text of a test, not of a visitor.
    const source = program.replace('"gradstep"', JSON.stringify(import.meta.resolve("gradstep")));
    const address = `data:text/javascript,${encodeURIComponent(source)}`;
    const { mine } = (await import(/* @vite-ignore */ address)) as {
      readonly mine: { readonly rule: Rule };
    };
    for (const choices of [
      {},
      { form: "mean" },
      { nesterov: true },
      { form: "mean", nesterov: true },
    ])
      expect(mine.rule.variant(choices).slots).toEqual(
        ruleFromText("mine", chosen).variant(choices).slots,
      );
    const settings = { form: "mean", nesterov: true };
    const [expected] = await paths({ mine: chosen }, "mine(form:mean,nesterov:true)");
    const spec = mine.rule.specify(settings);
    expect(await tracePath(cpuJs({ exact: true }), spec, race)).toEqual(expected);
  });
});

function failureOf(changed: string): RuleTextError {
  try {
    ruleFromText("momentum", changed);
  } catch (error) {
    if (error instanceof RuleTextError) return error;
    throw error;
  }
  throw new Error("There is no error.");
}
