import {
  newRow,
  type Backend,
  type RowMove,
  type RowValues,
  type Tensor,
  type Update,
} from "../backend/backend.js";
import { checkOptions } from "../check-options.js";
import type { ParameterRecord } from "./parameter-record.js";
import { GradstepError, list, show } from "../errors.js";
import { checkMirrors, checkDisjoint, checkParameters, type Parameters } from "./parameters.js";
import { checkRowValues, resized, rowCount } from "./row-values.js";
import type { Variant } from "../rule/variant.js";

/** What `remap` can be told. */
export interface RemapOptions<T extends Tensor = Tensor> {
  /** How many rows there will be, at least 1; the number of indices if left out. */
  readonly count?: number;
  /**
   * Rows whose u32 is not 0 take their parameters from where the index says, and begin with the slots of a new row: a
   * clone, a split.
   */
  readonly resetRows?: RowValues;
  /**
   * Parameters that the caller, or another optimizer, has rearranged already: tensors with `count` rows that take the
   * place of the present ones, or are those. Only their slots are moved. What they replace is the caller's to free.
   */
  readonly parameters?: Parameters<T>;
  /** Packed mirrors that replace the current ones, where those have no room for the new number of rows. */
  readonly mirrors?: Parameters<T>;
}

/** Parameters whose rows move together. Made by `optimizer.rows`. */
export interface Rows<T extends Tensor = Tensor> {
  readonly names: readonly string[];
  /** How many rows there are now. */
  readonly count: number;
  /**
   * Row `i` of the parameters and of their slots becomes what row `indices[i]` was: to prune, to clone, to reorder, to
   * append. An index of `newRow` (0xffffffff) makes a row of zeros with the slots of a new parameter.
   *
   * Tensors keep their identity and change their shape. Memory of the backend's grows ahead, by half at least, so that
   * few calls move to another place; memory of the caller's is used up to the `capacity` it was wrapped with. What
   * `gradient` gave is 0 in all rows afterwards, mirrors are filled anew. Views and buffers that were asked for before are to be
   * asked for again.
   *
   * @param indices from 0 to before `count`. In a tensor, which is not looked into, any that is too large means
   * `newRow`.
   * @throws {GradstepError} `LENGTH_MISMATCH`, `INVALID_MEMORY` (an index that is too large, no room in memory of the
   * caller's), `INVALID_SHAPE`, `INVALID_PARAMETER`, `OVERLAPPING_MEMORY`, `UNKNOWN_PARAMETER`, `UNKNOWN_OPTION`,
   * `OUT_OF_MEMORY`, `DISPOSED`; then nothing has changed
   */
  remap(indices: RowValues, options?: RemapOptions<T>): void;
}

/** What the rows of an optimizer need of it. */
export interface RowsContext {
  readonly backend: Backend;
  readonly variant: Variant;
  readonly entries: readonly ParameterRecord[];
  /** The memory that others of the optimizer's tensors are in, by name. */
  readonly others: () => ReadonlyMap<string, Tensor>;
  /** Told that the entries have other updates. */
  readonly moved: () => void;
  /** @throws {GradstepError} `DISPOSED` */
  readonly checkLive: () => void;
}

/** @internal */
export class ParameterRows implements Rows {
  readonly names: readonly string[];
  readonly #context: RowsContext;

  /** @throws {GradstepError} `INVALID_SHAPE` where the numbers of rows differ */
  constructor(context: RowsContext) {
    this.#context = context;
    this.names = context.entries.map(({ name }) => name);
    this.#count();
  }

  get count(): number {
    return this.#count();
  }

  remap(indices: RowValues, options: RemapOptions = {}): void {
    const { backend, entries, checkLive } = this.#context;
    checkLive();
    checkOptions("remap", options, ["count", "resetRows", "parameters", "mirrors"]);
    const before = this.#count();
    const count = options.count ?? (indices as Uint32Array)?.length ?? (indices as Tensor)?.size;
    if (!Number.isSafeInteger(count) || count < 1 || count >= newRow) {
      throw new GradstepError(
        `count is ${show(count)}; expected a positive integer. To remove all rows, make another optimizer.`,
        { code: "LENGTH_MISMATCH" },
      );
    }
    checkRowValues("indices", indices, count, backend, true);
    if (ArrayBuffer.isView(indices)) checkIndices(indices.subarray(0, count), before);
    const { resetRows, parameters = {}, mirrors = {} } = options;
    if (resetRows !== undefined) checkRowValues("resetRows", resetRows, count, backend, true);
    this.#checkReplacements(parameters, mirrors, count);
    const other = entries.find(
      ({ name, size, update }) => parameters[name] === undefined && update.parameter.size !== size,
    );
    if (other !== undefined) throw resized(other);
    this.#checkApart(parameters, mirrors);

    backend.remap!(this.#moves(parameters, mirrors), { count, indices, resetRows });

    this.#context.moved();
    for (const entry of entries) {
      const { update, name } = entry;
      entry.staging?.free();
      entry.staging = undefined;
      const parameter = parameters[name] ?? update.parameter;
      const mirror = mirrors[name] ?? update.mirror;
      // Another object, because what a backend has prepared for an update is prepared for its tensors.
      const next: Update = { ...update, parameter, mirror, gradient: parameter, mask: undefined };
      entry.update = next;
      entry.size = parameter.size;
      if (mirror !== undefined) backend.pack!(parameter, mirror);
    }
  }

  #moves(parameters: Parameters, mirrors: Parameters): RowMove[] {
    const { entries, variant } = this.#context;
    return entries.flatMap(({ name, group, update, gradient }) => {
      const moves: RowMove[] = update.slots.map((tensor, k) => {
        const { initial } = variant.slots[k];
        const value = typeof initial === "number" ? initial : group.get(initial);
        return { tensor, initial: value, reset: "flagged" };
      });
      const { parameter } = update;
      const mirror = mirrors[name] ?? update.mirror;
      if (parameters[name] === undefined)
        moves.push({ tensor: parameter, initial: 0, reset: "added" });
      if (gradient !== undefined) moves.push({ tensor: gradient, initial: 0, reset: "all" });
      // One that replaces another has its rows; the backend may still refuse it.
      if (mirror !== undefined) moves.push({ tensor: mirror, initial: 0, reset: "all" });
      return moves;
    });
  }

  #checkReplacements(parameters: Parameters, mirrors: Parameters, count: number): void {
    const { backend, entries } = this.#context;
    checkParameters(parameters, backend);
    const shapes = new Map(
      entries.map(({ name, update }) => [name, [count, ...update.parameter.shape.slice(1)]]),
    );
    for (const [name, { shape }] of Object.entries(parameters)) {
      const expected = shapes.get(name);
      if (expected === undefined) {
        throw new GradstepError(
          `parameters names "${name}"; expected one of these rows' parameters ${list(shapes.keys())}.`,
          { code: "UNKNOWN_PARAMETER" },
        );
      }
      if (show(shape) !== show(expected)) {
        throw new GradstepError(
          `parameters has "${name}" of shape ${show(shape)}; expected ${show(expected)}.`,
          { code: "INVALID_SHAPE" },
        );
      }
    }
    const mirrored = new Map([...shapes].filter((_, i) => entries[i].update.mirror !== undefined));
    checkMirrors(mirrors, mirrored, backend);
  }

  /** Replacements must not lie in memory of the optimizer's other tensors. */
  #checkApart(parameters: Parameters, mirrors: Parameters): void {
    const { entries, others } = this.#context;
    const tensors = new Map(others());
    for (const { name, update } of entries) {
      tensors.set(name, parameters[name] ?? update.parameter);
      const mirror = mirrors[name] ?? update.mirror;
      if (mirror !== undefined) tensors.set(`mirror of ${name}`, mirror);
    }
    checkDisjoint([...tensors]);
  }

  #count(): number {
    const { entries } = this.#context;
    // Of the slots: another optimizer may have moved those of the parameter.
    const [first, ...rest] = entries.map(({ name, size, update: { parameter } }) => ({
      name,
      rows: size / (parameter.size / rowCount(name, parameter)),
    }));
    const other = rest.find(({ rows }) => rows !== first.rows);
    if (other !== undefined) {
      throw new GradstepError(
        `Parameter "${first.name}" has ${first.rows} rows and "${other.name}" ${other.rows}; expected as many. Name those that belong together: optimizer.rows(["${first.name}"]).`,
        { code: "INVALID_SHAPE" },
      );
    }
    return first.rows;
  }
}

function checkIndices(indices: Uint32Array, rows: number): void {
  const wrong = indices.findIndex((index) => index >= rows && index !== newRow);
  if (wrong >= 0)
    throw new GradstepError(
      `indices[${wrong}] is ${indices[wrong]}; expected a row from 0 to ${rows - 1}, or newRow.`,
      { code: "INVALID_MEMORY" },
    );
}
