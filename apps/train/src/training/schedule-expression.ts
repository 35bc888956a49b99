import * as core from "@gradstep/core";
import type { Schedule } from "@gradstep/core";
import {
  type BinaryExpression,
  type CallExpression,
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
  const value = new ScheduleExpression(text, names).value();
  return typeof value === "number" ? core.constant(value) : value;
}

class ScheduleExpression {
  readonly #text: string;
  readonly #names: Readonly<Record<string, number>>;

  constructor(text: string, names: Readonly<Record<string, number>>) {
    this.#text = text;
    this.#names = names;
  }

  /** What the whole expression is. @throws {OptionsError} */
  value(): number | Schedule {
    const value = this.#valueOf(this.#parse());
    if (typeof value === "number") return value;
    if (typeof (value as Partial<Schedule> | null)?.valueAt === "function")
      return value as Schedule;
    return this.#fail(`a schedule, such as "${defaultSchedule}"`);
  }

  #parse(): Expression {
    try {
      const expression = parseExpressionAt(this.#text, 0, { ecmaVersion: "latest" });
      if (this.#text.slice(expression.end).trim() === "") return expression;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    return this.#fail(`a schedule as it is written in JavaScript, such as "${defaultSchedule}"`);
  }

  #valueOf(node: Expression | SpreadElement): unknown {
    if (node.type === "Literal") return node.value;
    if (node.type === "Identifier") return this.#named(node.name);
    if (node.type === "UnaryExpression" && node.operator === "-")
      return -this.#numberOf(node.argument);
    if (node.type === "BinaryExpression") return this.#calculated(node);
    if (node.type === "ArrayExpression") {
      return node.elements.map((element) =>
        element === null ? this.#fail("lists without gaps") : this.#valueOf(element),
      );
    }
    if (node.type === "ObjectExpression") return this.#objectOf(node);
    if (node.type === "CallExpression") return this.#called(node);
    return this.#failAt(node, "calls of schedules, numbers, lists and objects");
  }

  #named(name: string): number {
    if (Object.hasOwn(this.#names, name)) return this.#names[name];
    const names = Object.keys(this.#names).join(", ");
    return this.#fail(`${names} or a call of a schedule instead of ${name}`);
  }

  #calculated(node: BinaryExpression): number {
    const { left, right, operator } = node;
    if (!Object.hasOwn(operators, operator) || left.type === "PrivateIdentifier")
      return this.#failAt(node, `one of the operators ${Object.keys(operators).join(" ")}`);
    return operators[operator](this.#numberOf(left), this.#numberOf(right));
  }

  #numberOf(node: Expression): number {
    const value = this.#valueOf(node);
    return typeof value === "number" ? value : this.#failAt(node, "a number");
  }

  #objectOf({ properties }: ObjectExpression): Record<string, unknown> {
    return Object.fromEntries(
      properties.map((property) =>
        property.type === "Property" && property.key.type === "Identifier" && !property.computed
          ? [property.key.name, this.#valueOf(property.value)]
          : this.#failAt(property, "properties such as alpha: 0.02"),
      ),
    );
  }

  #called({ callee, arguments: values }: CallExpression): Schedule {
    const schedule = callee.type === "Identifier" ? schedules.get(callee.name) : undefined;
    if (schedule === undefined) return this.#fail(`one of ${scheduleNames.join(", ")}`);
    try {
      return (schedule as (...given: unknown[]) => Schedule)(
        ...values.map((value) => this.#valueOf(value)),
      );
    } catch (error) {
      if (!(error instanceof core.GradstepError)) throw error;
      throw new OptionsError(`Got --schedule "${this.#text}": ${error.message}`);
    }
  }

  #failAt({ start, end }: { start: number; end: number }, expected: string): never {
    return this.#fail(`${expected} instead of ${this.#text.slice(start, end)}`);
  }

  #fail(expected: string): never {
    throw new OptionsError(`Got --schedule "${this.#text}"; expected ${expected}.`);
  }
}
