import type {
  Backend,
  ParameterCopy,
  RowMove,
  RowValues,
  Tensor,
  Update,
} from "../../backend/backend.js";
import { checkOptions } from "../../argument-checks/check-options.js";
import { hasRowsOf } from "../../backend/dimensions.js";
import { isTensor } from "../../backend/is-tensor.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import { GradstepError, list, show } from "../../errors.js";
import { checkCopies, namedCopies, type CopyTable } from "../parameters/copy-options.js";
import { checkDisjoint, checkParameters, type Parameters } from "../parameters/parameter-checks.js";
import { cannotEncode } from "../step/encodable-inputs.js";
import { readRowLimit, rowLimitOf } from "./row-limit.js";
import type { RemapOptions, Rows } from "./rows.js";
import {
  checkAccumulatedRemap,
  checkResetRows,
  checkRowStepRemap,
  newCount,
  type ResetRows,
} from "./remap-checks.js";
import { checkRowValues, checkIndices } from "../../backend/row-value-checks.js";
import { resized, rowCount } from "./row-checks.js";

/** Copies that replace those of parameters, by their names. */
type NewCopies = ReadonlyMap<string, readonly ParameterCopy[]>;

/** The parts of an optimizer that its rows use. */
export interface RowsContext {
  readonly backend: Backend;
  readonly records: readonly ParameterRecord[];
  /** All parameters, copies and caller-owned slots of the optimizer, by name. */
  readonly tensors: () => ReadonlyMap<string, Tensor>;
  /** Called when the records have new updates. */
  readonly onRemap: () => void;
  /** @throws {GradstepError} `DISPOSED` */
  readonly checkLive: () => void;
}

/** @internal */
export class ParameterRows implements Rows {
  readonly names: readonly string[];
  readonly #context: RowsContext;

  /** @throws {GradstepError} `INVALID_SHAPE` if the numbers of rows differ */
  constructor(context: RowsContext) {
    this.#context = context;
    this.names = context.records.map(({ name }) => name);
    this.#count();
  }

  get count(): number {
    return this.#count();
  }

  async readCount(): Promise<number> {
    this.#context.checkLive();
    const count = this.#count();
    const { rowLimit } = this.#context.records[0];
    return rowLimit === undefined ? count : readRowLimit(rowLimit, count);
  }

  remap(indices: RowValues, options: RemapOptions = {}): void {
    this.#remap("remap", indices, options, undefined);
  }

  encodeRemap(target: object, indices: RowValues, options: RemapOptions = {}): void {
    this.#remap("encodeRemap", indices, options, target);
  }

  /** @param target what the remap is recorded into; undefined to execute it */
  #remap(
    method: "remap" | "encodeRemap",
    indices: RowValues,
    options: RemapOptions,
    target: object | undefined,
  ): void {
    const { backend, records, checkLive } = this.#context;
    checkLive();
    checkOptions(method, options, ["count", "capacity", "resetRows", "parameters", "copies"]);
    if (method === "encodeRemap" && backend.encodeRemap === undefined)
      throw cannotEncode(backend.name, "remaps", "remap()");
    const before = this.#count();
    const count = newCount(indices, options);
    const limit = isTensor(options.count) ? rowLimitOf(options.count, backend) : undefined;
    checkRowValues("indices", indices, count, backend, { allowsMore: true });
    if (ArrayBuffer.isView(indices)) checkIndices(indices.subarray(0, count), before);
    const { parameters = {} } = options;
    const resets = checkResetRows(options.resetRows, { names: this.names, count, backend });
    checkRowStepRemap(records, [indices, ...resets.values()]);
    const copies = this.#checkReplacements(parameters, options.copies ?? {}, count);
    checkAccumulatedRemap(records, indices);
    const other = records.find(
      ({ name, size, update }) => parameters[name] === undefined && update.parameter.size !== size,
    );
    if (other !== undefined) throw resized(other);
    this.#checkApart(parameters, copies);

    const moves = this.#moves(parameters, copies, resets);
    const sources = { count, indices, limit: limit?.mask };
    if (method === "remap") backend.remap!(moves, sources);
    else backend.encodeRemap!(target!, moves, sources);

    this.#context.onRemap();
    for (const record of records) {
      const { update, name } = record;
      record.staging?.free();
      record.staging = undefined;
      record.sparse?.free();
      record.sparse = undefined;
      record.accumulator?.remap(indices, count);
      record.run.kernel!.release?.(update);
      const parameter = parameters[name] ?? update.parameter;
      // A new object, because backends cache what they prepare for the tensors of an update.
      const next: Update = {
        ...update,
        parameter,
        copies: copies.get(name) ?? update.copies,
        gradient: parameter,
        mask: limit?.mask,
        unselectedRows: "keep",
        rows: undefined,
      };
      record.update = next;
      record.rowLimit = limit;
      record.size = parameter.size;
      record.rowSteps = record.rowSteps?.remapped(
        record.group,
        indices as Uint32Array,
        resets.get(name) as Uint32Array | "all" | undefined,
        count,
      );
      for (const copy of next.copies) {
        if (target === undefined) backend.fillCopy!(parameter, copy);
        else backend.encodeFillCopy!(target, parameter, copy);
      }
    }
  }

  #moves(parameters: Parameters, copies: NewCopies, resets: ResetRows): RowMove[] {
    const { records } = this.#context;
    return records.flatMap(({ name, group, update, gradient, accumulator, rowSteps }) => {
      const { variant } = group.context;
      const { parameter } = update;
      const reset = resets.get(name) ?? "added";
      const moves: RowMove[] = update.slots.flatMap((tensor, k) => {
        const { initial, extent } = variant.slots[k];
        if (!hasRowsOf(extent, parameter.shape, variant.matrices)) return [];
        const copied = parameters[name] ?? parameter;
        const value =
          initial === "p" ? copied : typeof initial === "number" ? initial : group.get(initial);
        return [{ tensor, initial: value, reset }];
      });
      if (parameters[name] === undefined)
        moves.push({ tensor: parameter, initial: 0, reset: "added" });
      if (accumulator !== undefined)
        moves.push({ tensor: accumulator.sum, initial: -0, reset: "added" });
      if (accumulator?.selected !== undefined)
        moves.push({ tensor: accumulator.selected.flags, initial: 0, reset: "added" });
      if (rowSteps?.guarded !== undefined)
        moves.push({ tensor: rowSteps.guarded.memory, initial: 0, reset });
      if (gradient !== undefined) moves.push({ tensor: gradient, initial: 0, reset: "all" });
      // A replacement has the rows already, but the backend may refuse it.
      for (const { target } of copies.get(name) ?? update.copies)
        moves.push({ tensor: target, initial: 0, reset: "written" });
      return moves;
    });
  }

  #checkReplacements(parameters: Parameters, copies: CopyTable, count: number): NewCopies {
    const { backend, records } = this.#context;
    checkParameters(parameters, backend);
    const shapes = new Map(
      records.map(({ name, update }) => [name, [count, ...update.parameter.shape.slice(1)]]),
    );
    for (const [name, { shape }] of Object.entries(parameters)) {
      const expected = shapes.get(name);
      if (expected === undefined) {
        throw new GradstepError(
          `parameters has "${name}"; expected parameters of these rows: ${list(shapes.keys())}.`,
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
    const copied = new Map([...shapes].filter((_, i) => records[i].update.copies.length > 0));
    return checkCopies(copies, copied, backend);
  }

  /** Replacements must not share memory with other tensors of the optimizer. */
  #checkApart(parameters: Parameters, copies: NewCopies): void {
    const { records } = this.#context;
    const tensors = new Map(this.#context.tensors());
    for (const { name, update } of records) {
      tensors.set(name, parameters[name] ?? update.parameter);
      for (const [one] of namedCopies(name, update.copies)) tensors.delete(one);
      for (const [one, tensor] of namedCopies(name, copies.get(name) ?? update.copies))
        tensors.set(one, tensor);
    }
    checkDisjoint([...tensors]);
  }

  #count(): number {
    const { records } = this.#context;
    // The rows of the slots: another optimizer may have moved those of the parameter.
    const [first, ...rest] = records.map(({ name, size, update: { parameter } }) => ({
      name,
      rows: size / (parameter.size / rowCount(name, parameter)),
    }));
    const other = rest.find(({ rows }) => rows !== first.rows);
    if (other !== undefined) {
      throw new GradstepError(
        `Parameter "${first.name}" has ${first.rows} rows and "${other.name}" has ${other.rows}; expected the same number. Name the parameters that belong together: optimizer.rows(["${first.name}"]).`,
        { code: "INVALID_SHAPE" },
      );
    }
    return first.rows;
  }
}
