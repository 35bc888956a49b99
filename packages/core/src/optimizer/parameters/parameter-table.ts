import type { Backend, Kernel, Tensor, Update, Values } from "../../backend/backend.js";
import type { ParameterRecord } from "./parameter-record.js";
import { GradstepError, list, show } from "../../errors.js";
import type { Group } from "../groups/group.js";
import type { MatchedParameter } from "../groups/group-options.js";
import type { KernelRun } from "../groups/rule-context.js";
import {
  checkMirrors,
  checkDisjoint,
  checkParameters,
  type Parameters,
} from "./parameter-checks.js";
import { rowCount } from "../rows/row-checks.js";
import { RowSteps } from "../sparse/row-steps.js";
import { allocateSlots, gradientPool } from "./slot-allocation.js";

/** The parameters of an optimizer with their slots and gradients, and the backend that they are on. */
export class ParameterTable {
  readonly records: ParameterRecord[] = [];
  readonly byName = new Map<string, ParameterRecord>();
  readonly #groupOf: (parameter: MatchedParameter) => Group;
  readonly #checkSupport: (tensor: Tensor) => void;
  #backend: Backend | undefined;
  /** Number of records, from the first, whose gradients have reserved memory. */
  #reserved = 0;

  /**
   * @param groupOf the group of a parameter; may throw
   * @param checkSupport throws for a tensor of a backend that lacks something
   */
  constructor(
    groupOf: (parameter: MatchedParameter) => Group,
    checkSupport: (tensor: Tensor) => void,
  ) {
    this.#groupOf = groupOf;
    this.#checkSupport = checkSupport;
  }

  /** The backend of the first parameter; undefined while there is none. */
  get backend(): Backend | undefined {
    return this.#backend;
  }

  get names(): readonly string[] {
    return this.records.map(({ name }) => name);
  }

  /** Parameters and mirrors, by the names used in messages. */
  tensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name, update } of this.records) {
      tensors.set(name, update.parameter);
      if (update.mirror !== undefined) tensors.set(`mirror of ${name}`, update.mirror);
    }
    return tensors;
  }

  /** @throws {GradstepError} as `optimizer.add` does; then nothing has changed */
  add(parameters: Parameters, mirrors: Parameters): void {
    const current = this.tensors();
    checkParameters(parameters, this.#backend, current);
    const shapes = new Map(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
    checkMirrors(mirrors, shapes, this.#backend ?? Object.values(parameters)[0]?.backend);
    const mirrored = Object.entries(mirrors).map(
      ([name, mirror]) => [`mirror of ${name}`, mirror] as const,
    );
    checkDisjoint([...current, ...Object.entries(parameters), ...mirrored]);
    const named = Object.entries(parameters).map(([name, tensor]) => ({
      name,
      tensor,
      group: this.#groupOf({ name, shape: tensor.shape }),
    }));
    if (named.length === 0) return;
    this.#checkSupport(named[0].tensor);
    const backend = this.#backend ?? named[0].tensor.backend;
    // A backend may refuse a mirror, so this comes before anything changes.
    for (const { name, tensor } of named)
      if (mirrors[name] !== undefined) backend.pack!(tensor, mirrors[name]);
    const kernels = new Map<KernelRun, Kernel>();
    for (const { group } of named) {
      const { run, variant } = group.context;
      if (!kernels.has(run)) kernels.set(run, run.kernel ?? backend.compile(variant));
    }
    for (const { name, tensor, group } of named)
      checkRowSteps(name, tensor, mirrors[name], group, kernels.get(group.context.run)!);
    const runs = new Set([...this.records.map(({ run }) => run), ...kernels.keys()]);
    checkCanRunTogether(backend, [...runs]);
    const allSlots = allocateSlots(backend, named);
    for (const [run, kernel] of kernels) run.kernel = kernel;
    this.#backend = backend;
    for (const [i, { name, tensor, group }] of named.entries()) {
      const update: Update = {
        parameter: tensor,
        mirror: mirrors[name],
        gradient: tensor,
        mask: undefined,
        unselectedRows: "keep",
        rows: undefined,
        slots: allSlots[i],
        scalars: group.scalars.values,
      };
      const { size } = tensor;
      const record: ParameterRecord = {
        name,
        group,
        run: group.context.run,
        update,
        size,
        staging: undefined,
        gradient: undefined,
        accumulator: undefined,
        sparse: undefined,
        rowList: undefined,
        rowSteps: group.sparseOptions.rowSteps
          ? new RowSteps(group, new Uint32Array(rowCount(name, tensor)))
          : undefined,
      };
      this.records.push(record);
      this.byName.set(name, record);
      group.parameters.push(name);
    }
  }

  /** The records of these names. @throws {GradstepError} `UNKNOWN_PARAMETER`, also for no name and for duplicates */
  select(names: readonly string[]): readonly ParameterRecord[] {
    const isList =
      Array.isArray(names) &&
      names.length > 0 &&
      new Set(names).size === names.length &&
      [...names].every((name) => typeof name === "string");
    const unknown = isList ? names.filter((name) => !this.byName.has(name)) : [];
    if (isList && unknown.length === 0) return names.map((name) => this.byName.get(name)!);
    throw new GradstepError(
      `Got ${isList ? list(unknown) : show(names)}; expected names of parameters without duplicates, from ${list(this.names)}.`,
      { code: "UNKNOWN_PARAMETER" },
    );
  }

  /** @throws {GradstepError} as `optimizer.remove` does; then nothing has changed */
  remove(names: readonly string[]): void {
    for (const record of this.select(names)) {
      const { name, group } = record;
      const index = this.records.indexOf(record);
      if (index < this.#reserved) this.#reserved -= 1;
      this.records.splice(index, 1);
      this.byName.delete(name);
      group.parameters.splice(group.parameters.indexOf(name), 1);
      freeRecord(record);
    }
  }

  /** The tensor for a parameter's gradient. @throws {GradstepError} `UNKNOWN_PARAMETER`, `OUT_OF_MEMORY` */
  gradient(name: string): Tensor {
    const record = this.byName.get(name);
    if (record === undefined) {
      throw new GradstepError(
        `Got ${show(name)}; the optimizer has the parameters ${list(this.names)}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    this.#reserveGradients();
    record.gradient ??= this.#backend!.tensor(
      record.update.parameter.shape,
      undefined,
      gradientPool,
    );
    return record.gradient;
  }

  /** The tensor through which the kernel receives a typed array. */
  readonly stage = (record: ParameterRecord, values: Values): Tensor => {
    if (record.staging === undefined) this.#reserveGradients();
    record.staging ??= this.#backend!.staging(record.update.parameter.shape);
    record.staging.stage(values);
    return record.staging;
  };

  /** Frees what was allocated: slots, staging tensors and gradients, not parameters and mirrors. */
  free(): void {
    for (const record of this.records) freeRecord(record);
    for (const { run } of this.records) for (const slot of run.shared.values()) slot.free();
  }

  /** Reserves memory for the gradients of all parameters when the first of them is needed. */
  #reserveGradients(): void {
    if (this.#reserved === this.records.length) return;
    const sizes = this.records.slice(this.#reserved).map(({ update }) => update.parameter.size);
    this.#backend!.reserve?.(sizes, gradientPool);
    this.#reserved = this.records.length;
  }
}

/** @throws {GradstepError} `INVALID_SHAPE`, `UNSUPPORTED` */
function checkRowSteps(
  name: string,
  parameter: Tensor,
  mirror: Tensor | undefined,
  group: Group,
  kernel: Kernel,
): void {
  if (!group.sparseOptions.rowSteps) return;
  rowCount(name, parameter);
  if (kernel.takesRowLists === true && mirror === undefined) return;
  throw new GradstepError(
    mirror === undefined
      ? `Rows of "${name}" cannot count their own steps on backend ${parameter.backend.name}; leave rowSteps out, or use another backend.`
      : `Rows of "${name}" cannot count their own steps, since it has a mirror; leave one of the two out.`,
    { code: "UNSUPPORTED" },
  );
}

/** @throws {GradstepError} `UNSUPPORTED` for rules that have a reduction in common */
function checkCanRunTogether(backend: Backend, runs: readonly KernelRun[]): void {
  const keys = runs.flatMap(({ reductionKeys }) => [...new Set(reductionKeys)]);
  if (backend.runTogether !== undefined || new Set(keys).size === keys.length) return;
  throw new GradstepError(
    `Backend ${backend.name} cannot reduce over the tensors of several rules, such as for a global norm; expected one rule with such a reduction.`,
    { code: "UNSUPPORTED" },
  );
}

/** Frees what belongs to a record alone. */
function freeRecord({
  run,
  update,
  staging,
  gradient,
  accumulator,
  sparse,
}: ParameterRecord): void {
  const shared = new Set(run.shared.values());
  for (const slot of update.slots) if (!shared.has(slot)) slot.free();
  staging?.free();
  gradient?.free();
  accumulator?.free();
  sparse?.free();
}
