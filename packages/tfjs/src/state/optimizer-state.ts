import { GradstepError, hasNames, show, type OptimizerState } from "@gradstep/core";
import { isArray, propertyOf } from "@gradstep/core/internal";
import type { Fingerprint } from "./value-fingerprint.js";

/**
 * The state of a TF.js optimizer: core's, by the names of variables. Plain data, which goes into a checkpoint of
 * `@gradstep/checkpoint`, IndexedDB, `structuredClone` or `v8.serialize`.
 */
export interface TfOptimizerState extends OptimizerState {
  /**
   * Hashes of the variables' values, by which their states are found again; only where names differ by nothing but the
   * number that TF.js adds to make them unique.
   */
  readonly fingerprints?: Readonly<Record<string, Fingerprint>>;
  /** What subclasses added to `iterations` with `incrementIterations`; left out if that is 0. */
  readonly iterationOffset?: number;
}

/** The part of a state that belongs to these parameters. */
export function selectParameters(
  state: OptimizerState,
  shapes: ReadonlyMap<string, readonly number[]>,
): TfOptimizerState {
  const select = <T>(table: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(table).filter(([name]) => shapes.has(name)));
  const { groups, slots, control } = state;
  return {
    ...state,
    groups: groups.map((group) => ({
      ...group,
      parameters: group.parameters.filter((name) => shapes.has(name)),
    })),
    shapes: Object.fromEntries(shapes),
    slots: select(slots),
    ...(control !== undefined && {
      control: { ...control, accumulated: select(control.accumulated), rows: select(control.rows) },
    }),
  };
}

/**
 * The shapes in a state. Everything else in it is checked by core's `restore`.
 * @throws {GradstepError} `STATE_MISMATCH`
 */
export function shapesOf(state: TfOptimizerState): ReadonlyMap<string, readonly number[]> {
  const shapes = propertyOf(state, "shapes");
  if (hasNames(shapes) && Object.values(shapes).every(isShape))
    return new Map(Object.entries(shapes as TfOptimizerState["shapes"]));
  const got = show(state);
  throw new GradstepError(
    `Got ${got} as the state, without the shapes of its parameters; expected the object that state() resolves to: optimizer.restore(await other.state()).`,
    { code: "STATE_MISMATCH" },
  );
}

function isShape(shape: unknown): boolean {
  return isArray(shape) && shape.every((size) => Number.isSafeInteger(size) && Number(size) > 0);
}
