import { isSameShape } from "@gradstep/core/internal";
import { GradstepError, type Optimizer } from "@gradstep/core";
import { engine, type Variable } from "@tensorflow/tfjs-core";
import { isNumberedByTfjs } from "../state/name-numbering.js";
import type { Claims, Parameter, ParameterTable } from "../state/parameter-table.js";

/** What a step updates in addition to the parameters of its gradients. */
interface AlsoUpdated {
  readonly list: readonly {
    readonly name: string;
    readonly variable: Variable;
    readonly parameter: Parameter;
  }[];
  /** Parameters to remove: they need not have a variable, and have none. */
  readonly obsolete: readonly Parameter[];
}

/**
 * The parameters that have accumulated gradients. The call that makes the step updates all of them, also those of which
 * it has no gradient itself: their variables have to be bound, too.
 */
export class AccumulatedParameters {
  readonly #keys = new Set<string>();
  readonly #optimizer: Pick<Optimizer, "microSteps">;
  readonly #accumulate: number;

  /** @param accumulate the number of calls that make a step */
  constructor(optimizer: Pick<Optimizer, "microSteps">, accumulate = 1) {
    this.#optimizer = optimizer;
    this.#accumulate = accumulate;
  }

  /** Notes parameters of a call, after it, or of a state. */
  add(parameters: readonly Parameter[]): void {
    if (this.#optimizer.microSteps === 0) this.#keys.clear();
    else for (const { key } of parameters) this.#keys.add(key);
  }

  /**
   * What the next call updates in addition to the parameters of its gradients.
   * @throws {GradstepError} `STATE_MISMATCH` if a parameter of a checkpoint has no variable
   */
  alsoUpdated(claims: Claims, table: ParameterTable): AlsoUpdated {
    const list: AlsoUpdated["list"][number][] = [];
    const obsolete: Parameter[] = [];
    if (this.#keys.size === 0 || this.#optimizer.microSteps + 1 < this.#accumulate)
      return { list, obsolete };
    const seen = new Set([...claims.list.map(({ parameter }) => parameter), ...claims.obsolete]);
    for (const key of this.#keys) {
      const parameter = table.get(key);
      if (parameter === undefined || seen.has(parameter)) continue;
      const variable = table.variableOf(key) ?? variableNamed(parameter);
      if (variable !== undefined) list.push({ name: variable.name, variable, parameter });
      else if (parameter.isOptional) obsolete.push(parameter);
      else throw withoutVariable(key);
    }
    return { list, obsolete };
  }
}

/** The variable with the name of a state, unless it may be another one with that number. */
function variableNamed({ key, shape }: Parameter): Variable | undefined {
  const variable = isNumberedByTfjs(key) ? undefined : engine().registeredVariables[key];
  return variable !== undefined && isSameShape(variable.shape, shape) ? variable : undefined;
}

function withoutVariable(key: string): GradstepError {
  return new GradstepError(
    `The state has accumulated gradients of "${key}", and no variable is known for it; expected a gradient of it in the first calls.`,
    { code: "STATE_MISMATCH" },
  );
}
