import { isSameShape } from "@gradstep/core/internal";
import { GradstepError } from "@gradstep/core";
import { engine, type Variable } from "@tensorflow/tfjs-core";
import type { StepTensor } from "../step/step-tensor.js";
import { isNumberedByTfjs } from "./name-numbering.js";
import { matchByName, matchInOrder, quoted } from "./name-matching.js";
import type { WaitingState } from "./waiting-state.js";

/** One parameter of the optimizer, and the tensors that a step binds to its variable and its gradient. */
export interface Parameter extends WaitingState {
  /** The name of its state: the variable's name when it was first seen, or the name in the checkpoint. */
  readonly key: string;
  readonly shape: readonly number[];
  readonly values: StepTensor;
  readonly gradient: StepTensor;
  fingerprint: WaitingState["fingerprint"];
  isOptional: boolean;
}

/** A variable of a step and its parameter. */
interface Claim {
  readonly name: string;
  readonly parameter: Parameter;
  /** Whether the optimizer does not have the parameter yet. */
  readonly isNew: boolean;
}

/** What a step changes in the table. */
export interface Claims {
  /** For each variable, in that order. */
  readonly list: readonly Claim[];
  /** Parameters that are to be removed: their variables are gone, or have another shape and no state. */
  readonly obsolete: readonly Parameter[];
}

/**
 * The parameters of an optimizer, by the names of their variables.
 *
 * A parameter from a checkpoint has no variable until a step finds one for it, by name (see `matchByName`) or, where no
 * name is known, by position if all shapes agree. A parameter whose variable was disposed of stays until the next step:
 * that step either has a new variable of the same name, or removes the parameter.
 */
export class ParameterTable {
  /** Whether the optimizer was loaded with its model. */
  isLoaded = false;
  readonly #byVariable = new Map<string, Parameter>();
  readonly #byKey = new Map<string, Parameter>();
  /** From a checkpoint, without a variable so far. */
  readonly #waiting = new Set<Parameter>();
  readonly #stage: (shape: readonly number[]) => StepTensor;
  readonly #hasState: boolean;

  /**
   * @param stage makes a tensor that a step can bind to a variable or its gradient.
   * @param hasState whether the rule has slots.
   */
  constructor(stage: (shape: readonly number[]) => StepTensor, hasState: boolean) {
    this.#stage = stage;
    this.#hasState = hasState;
  }

  /** The parameter of that key. */
  get(key: string): Parameter | undefined {
    return this.#byKey.get(key);
  }

  /** The keys that a checkpoint has: without those of disposed variables, unless there are no others. */
  savedKeys(): ReadonlySet<string> {
    const keys = new Set(this.#byKey.keys());
    for (const [name, { key }] of this.#byVariable) if (!isRegistered(name)) keys.delete(key);
    return keys.size > 0 ? keys : new Set(this.#byKey.keys());
  }

  /** The parameter of the variable of that name. */
  ofVariable(name: string): Parameter | undefined {
    return this.#byVariable.get(name);
  }

  /** The live variable of a parameter. */
  variableOf(key: string): Variable | undefined {
    const parameter = this.#byKey.get(key);
    for (const [name, one] of this.#byVariable) if (one === parameter) return registered()[name];
    return undefined;
  }

  /** Makes a parameter without a variable. It is not part of the table until `expect`. */
  make(key: string, shape: readonly number[]): Parameter {
    const [values, gradient] = [this.#stage(shape), this.#stage(shape)];
    return { key, shape: [...shape], values, gradient, fingerprint: undefined, isOptional: false };
  }

  /**
   * Lets parameters of a checkpoint wait for their variables. They become the only ones, in that order, unless the others
   * are kept.
   */
  expect(parameters: readonly Parameter[], keepsOthers: boolean): void {
    const expected = new Set(parameters);
    for (const [name, one] of this.#byVariable)
      if (!keepsOthers || expected.has(one)) this.#byVariable.delete(name);
    if (!keepsOthers) {
      for (const one of this.#byKey.values()) if (!expected.has(one)) free(one);
      this.#byKey.clear();
      this.#waiting.clear();
    }
    for (const one of parameters) {
      this.#byKey.set(one.key, one);
      this.#waiting.add(one);
    }
  }

  /**
   * The parameter of each variable of a step. Changes nothing until `adopt`.
   * @throws {GradstepError} `STATE_MISMATCH` where a state does not fit, or might belong to several variables
   */
  claim(variables: readonly Variable[]): Claims {
    const unknown = variables.filter(({ name }) => !this.#byVariable.has(name));
    const found =
      unknown.length > 0 && this.#waiting.size > 0
        ? this.#match(unknown)
        : new Map<Variable, Parameter>();
    const obsolete: Parameter[] = [];
    // The variables of this step are not disposed of.
    if (this.#byVariable.size > variables.length - unknown.length)
      for (const [name, one] of this.#byVariable) if (!isRegistered(name)) obsolete.push(one);
    const taken = new Set<string>();
    const list = variables.map((variable): Claim => {
      const { name, shape } = variable;
      const parameter = this.#byVariable.get(name) ?? found.get(variable);
      if (parameter !== undefined && isSameShape(parameter.shape, shape))
        return { name, parameter, isNew: false };
      if (parameter !== undefined) {
        if (this.#hasState && !parameter.isOptional) throw wrongShape(variable, parameter);
        obsolete.push(parameter);
      }
      const key = this.#freeKey(name, taken, obsolete);
      taken.add(key);
      return { name, parameter: this.make(key, shape), isNew: true };
    });
    return { list, obsolete };
  }

  /** Removes parameters. */
  remove(parameters: readonly Parameter[]): void {
    for (const parameter of parameters) {
      this.#byKey.delete(parameter.key);
      this.#waiting.delete(parameter);
      free(parameter);
    }
    const removed = new Set(parameters);
    for (const [name, one] of this.#byVariable) {
      if (removed.has(one)) this.#byVariable.delete(name);
    }
  }

  /** Gives parameters to variables. */
  adopt(list: readonly Pick<Claim, "name" | "parameter">[]): void {
    for (const { name, parameter } of list) {
      this.#byVariable.set(name, parameter);
      this.#byKey.set(parameter.key, parameter);
      this.#waiting.delete(parameter);
      parameter.isOptional = false;
    }
  }

  /** Frees the tensors that steps were taken through. */
  dispose(): void {
    for (const parameter of this.#byKey.values()) free(parameter);
  }

  #match(variables: readonly Variable[]): Map<Variable, Parameter> {
    const states = [...this.#waiting];
    const others = Object.values(registered()).filter(
      ({ name, dtype }) => dtype === "float32" && !this.#byVariable.has(name),
    );
    const found = matchByName(states, variables, others, this.isLoaded);
    if (found.size > 0 || this.#waiting.size < this.#byKey.size) return found;
    const inOrder = matchInOrder(states, variables);
    if (inOrder !== undefined) return new Map(variables.map((one, i) => [one, inOrder[i]!]));
    if (states.every(({ isOptional }) => isOptional)) return found;
    // Names of the user's own: their variables come in a later step.
    if (states.every((state) => !isNumberedByTfjs(state.key) && hasVariable(state))) return found;
    throw new GradstepError(
      `The state belongs to ${quoted(states.map(({ key }) => key))}; the step has ${quoted(variables.map(({ name }) => name))}, ` +
        `with other names and other shapes. Use a new optimizer, or the model that the state was saved with.`,
      { code: "STATE_MISMATCH" },
    );
  }

  #freeKey(name: string, taken: ReadonlySet<string>, obsolete: readonly Parameter[]): string {
    const isFree = (key: string): boolean => {
      const holder = this.#byKey.get(key);
      return !taken.has(key) && (holder === undefined || obsolete.includes(holder));
    };
    let key = name;
    for (let i = 1; !isFree(key); i += 1) key = `${name}_${i}`;
    return key;
  }
}

function registered(): Readonly<Record<string, Variable>> {
  return engine().registeredVariables;
}

/** Whether there is a variable with the name and the shape of a state. */
function hasVariable({ key, shape }: WaitingState): boolean {
  const variable = registered()[key] as Variable | undefined;
  return variable !== undefined && isSameShape(variable.shape, shape);
}

function isRegistered(name: string): boolean {
  return registered()[name] !== undefined;
}

function free({ values, gradient }: Parameter): void {
  values.free();
  gradient.free();
}

function wrongShape({ name, shape }: Variable, { shape: expected }: Parameter): GradstepError {
  return new GradstepError(
    `Variable "${name}" has shape [${shape.join(", ")}]; the optimizer's state of that name has [${expected.join(", ")}]. ` +
      `Use a new optimizer for a new model, or another name for the variable.`,
    { code: "STATE_MISMATCH" },
  );
}
