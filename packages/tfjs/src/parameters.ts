import { GradstepError } from "@gradstep/core";
import type { Variable } from "@tensorflow/tfjs-core";
import { isSameShape } from "./gradients.js";
import type { StepTensor } from "./step-tensor.js";

/** One parameter of the optimizer: its name in states, and the tensors through which a step reaches its memory. */
export interface Parameter {
  /** The name of its state: that of the variable when it was first met, or the one in the checkpoint. */
  readonly key: string;
  readonly shape: readonly number[];
  readonly values: StepTensor;
  readonly gradient: StepTensor;
}

/** Which parameter a variable is. */
interface Claim {
  readonly name: string;
  readonly parameter: Parameter;
  /** Whether the optimizer has yet to be told of it. */
  readonly isNew: boolean;
}

/**
 * The parameters of an optimizer, found by the names of variables.
 *
 * State that came from a checkpoint waits for its variable. TF.js makes names unique for a process: the kernel that
 * was saved as `dense/kernel` is `dense/kernel_1` when the model is loaded beside the old one. So a waiting state goes
 * to the variable of the same name; or else to the one whose name differs by such a number only; or, where not a
 * single name is known, to the variable in the same position, if all shapes agree. Whatever is left is new.
 */
export class ParameterTable {
  readonly #byVariable = new Map<string, Parameter>();
  readonly #byKey = new Map<string, Parameter>();
  readonly #waiting = new Set<Parameter>();
  readonly #stage: (shape: readonly number[]) => StepTensor;

  /** @param stage makes a tensor that can stand for a variable or its gradient. */
  constructor(stage: (shape: readonly number[]) => StepTensor) {
    this.#stage = stage;
  }

  /** The shape of a state, where there is one of that key. */
  shapeOf(key: string): readonly number[] | undefined {
    return this.#byKey.get(key)?.shape;
  }

  /** Makes a parameter that belongs to no variable yet. */
  make(key: string, shape: readonly number[]): Parameter {
    return { key, shape: [...shape], values: this.#stage(shape), gradient: this.#stage(shape) };
  }

  /** Puts a parameter in whose state came from a checkpoint and waits for its variable. */
  wait(parameter: Parameter): void {
    this.#byKey.set(parameter.key, parameter);
    this.#waiting.add(parameter);
  }

  /**
   * The parameter of each variable, in that order. Changes nothing until `adopt`.
   * @throws {GradstepError} `STATE_MISMATCH` where a state does not fit, or might belong to several variables
   */
  claim(variables: readonly Variable[]): Claim[] {
    const unknown = variables.filter(({ name }) => !this.#byVariable.has(name));
    const found = unknown.length > 0 && this.#waiting.size > 0 ? this.#match(unknown) : new Map();
    const made = new Set<string>();
    return variables.map((variable) => {
      const { name, shape } = variable;
      const parameter = this.#byVariable.get(name) ?? found.get(variable);
      if (parameter === undefined) {
        const key = this.#freeKey(name, made);
        made.add(key);
        return { name, parameter: this.make(key, shape), isNew: true };
      }
      if (!isSameShape(parameter.shape, shape)) throw wrongShape(variable, parameter);
      return { name, parameter, isNew: false };
    });
  }

  /** Remembers what `claim` found. */
  adopt(claims: readonly Claim[]): void {
    for (const { name, parameter } of claims) {
      this.#byVariable.set(name, parameter);
      this.#byKey.set(parameter.key, parameter);
      this.#waiting.delete(parameter);
    }
  }

  /** Frees what steps were taken through. */
  dispose(): void {
    for (const { values, gradient } of this.#byKey.values()) {
      values.free();
      gradient.free();
    }
  }

  #match(variables: readonly Variable[]): Map<Variable, Parameter> {
    const found = new Map<Variable, Parameter>();
    const waiting = groupBy([...this.#waiting], ({ key }) => withoutNumber(key));
    for (const [name, several] of groupBy(variables, (variable) => withoutNumber(variable.name))) {
      const states = waiting.get(name) ?? [];
      const exact = several.map((variable) => states.find(({ key }) => key === variable.name));
      const matches = exact.includes(undefined) ? states : exact;
      if (matches.length === 0) continue;
      if (matches.length !== several.length) {
        throw new GradstepError(
          `The state holds ${quoted(states.map(({ key }) => key))}, the step has the variables ${quoted(several.map((one) => one.name))}; ` +
            `it is not clear which belongs to which. Give the variables the names that they were saved with: tf.variable(value, true, name).`,
          { code: "STATE_MISMATCH" },
        );
      }
      several.forEach((variable, i) => found.set(variable, matches[i]!));
    }
    const nothingKnown = found.size === 0 && this.#waiting.size === this.#byKey.size;
    return nothingKnown ? this.#matchByPosition(variables) : found;
  }

  #matchByPosition(variables: readonly Variable[]): Map<Variable, Parameter> {
    const states = [...this.#waiting];
    const fits =
      states.length === variables.length &&
      states.every(({ shape }, i) => isSameShape(shape, variables[i].shape));
    if (fits) return new Map(variables.map((variable, i) => [variable, states[i]]));
    throw new GradstepError(
      `The state belongs to ${quoted(states.map(({ key }) => key))}; the step has ${quoted(variables.map(({ name }) => name))}, ` +
        `of other names and other shapes. Use a new optimizer, or the model that the state was saved with.`,
      { code: "STATE_MISMATCH" },
    );
  }

  #freeKey(name: string, made: ReadonlySet<string>): string {
    let key = name;
    for (let i = 1; this.#byKey.has(key) || made.has(key); i += 1) key = `${name}_${i}`;
    return key;
  }
}

/** A name without the number that makes it unique; nothing is left of the names that TF.js gives on its own. */
function withoutNumber(name: string): string {
  return name.replace(/(^|_)\d+$/, "");
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function quoted(names: readonly string[]): string {
  const shown = names.slice(0, 6).map((name) => `"${name}"`);
  return shown.join(", ") + (names.length > 6 ? ` and ${names.length - 6} more` : "");
}

function wrongShape({ name, shape }: Variable, { shape: expected }: Parameter): GradstepError {
  return new GradstepError(
    `Variable "${name}" has shape [${shape.join(", ")}]; the optimizer's state of that name has [${expected.join(", ")}]. ` +
      `Use a new optimizer for a new model, or another name for the variable.`,
    { code: "STATE_MISMATCH" },
  );
}
