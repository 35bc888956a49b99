import * as core from "@gradstep/core";
import type { Schedule } from "@gradstep/core";
import {
  type Expression,
  type ObjectExpression,
  parseExpressionAt,
  type SpreadElement,
} from "acorn";
import { defaultSchedule, OptionsError } from "../options.mjs";

/** The functions of core that make schedules; they check their arguments. */
const schedules = new Map<string, unknown>(
  Object.entries({
    constant: core.constant,
    cosineDecay: core.cosineDecay,
    cosineDecayRestarts: core.cosineDecayRestarts,
    cyclical: core.cyclical,
    exponentialDecay: core.exponentialDecay,
    inverseTimeDecay: core.inverseTimeDecay,
    joinSchedules: core.joinSchedules,
    linear: core.linear,
    oneCycle: core.oneCycle,
    piecewiseConstant: core.piecewiseConstant,
    polynomialDecay: core.polynomialDecay,
    warmup: core.warmup,
    warmupStableDecay: core.warmupStableDecay,
  }),
);

export const scheduleNames: readonly string[] = [...schedules.keys()];

const operators: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};

/**
 * The schedule that an expression describes, in the syntax of JavaScript: calls of core's schedules, numbers, arithmetic,
 * lists, objects, and `names`. A number is a constant schedule.
 *
 * @param names what identifiers stand for
 * @throws {OptionsError}
 */
export function scheduleOf(text: string, names: Readonly<Record<string, number>>): Schedule {
  const fail = (expected: string): never => {
    throw new OptionsError(`Got --schedule "${text}"; expected ${expected}.`);
  };
  const evaluate = (node: Expression | SpreadElement): unknown => {
    switch (node.type) {
      case "Literal":
        return node.value;
      case "Identifier":
        if (Object.hasOwn(names, node.name)) return names[node.name];
        return fail(
          `${Object.keys(names).join(", ")} or a call of a schedule instead of ${node.name}`,
        );
      case "UnaryExpression":
        if (node.operator === "-") return -numberOf(node.argument);
        break;
      case "BinaryExpression": {
        const { left, right, operator } = node;
        if (Object.hasOwn(operators, operator) && left.type !== "PrivateIdentifier")
          return operators[operator](numberOf(left), numberOf(right));
        break;
      }
      case "ArrayExpression":
        return node.elements.map((element) =>
          element === null ? fail("lists without gaps") : evaluate(element),
        );
      case "ObjectExpression":
        return objectOf(node);
      case "CallExpression": {
        const name = node.callee.type === "Identifier" ? node.callee.name : "";
        const schedule = schedules.get(name) as ((...values: unknown[]) => Schedule) | undefined;
        if (schedule === undefined) return fail(`one of ${scheduleNames.join(", ")}`);
        return made(schedule, node.arguments.map(evaluate));
      }
      default:
    }
    return fail(
      `calls of schedules, numbers, lists and objects instead of ${text.slice(node.start, node.end)}`,
    );
  };
  const numberOf = (node: Expression): number => {
    const value = evaluate(node);
    return typeof value === "number"
      ? value
      : fail(`a number instead of ${text.slice(node.start, node.end)}`);
  };
  const objectOf = ({ properties }: ObjectExpression): Record<string, unknown> =>
    Object.fromEntries(
      properties.map((property) =>
        property.type === "Property" && property.key.type === "Identifier" && !property.computed
          ? [property.key.name, evaluate(property.value)]
          : fail("objects such as { alpha: 0.02 }"),
      ),
    );

  const made = (
    schedule: (...values: unknown[]) => Schedule,
    values: readonly unknown[],
  ): Schedule => {
    try {
      return schedule(...values);
    } catch (error) {
      if (!(error instanceof core.GradstepError)) throw error;
      throw new OptionsError(`Got --schedule "${text}": ${error.message}`);
    }
  };

  const value = evaluate(parsed(text, fail));
  if (typeof value === "number") return core.constant(value);
  const schedule = value as Partial<Schedule> | null;
  if (typeof schedule?.valueAt === "function") return schedule as Schedule;
  return fail(`a schedule, such as "${defaultSchedule}"`);
}

function parsed(text: string, fail: (expected: string) => never): Expression {
  try {
    const expression = parseExpressionAt(text, 0, { ecmaVersion: "latest" });
    if (text.slice(expression.end).trim() === "") return expression;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return fail(`a schedule as it is written in JavaScript, such as "${defaultSchedule}"`);
}
