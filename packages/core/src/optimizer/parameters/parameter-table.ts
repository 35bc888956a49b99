import type { Backend, Kernel, Tensor, Update } from "../../backend/backend.js";
import type { Values } from "../../backend/memory.js";
import { plainUpdate } from "../../backend/plain-update.js";
import type { ParameterRecord } from "./parameter-record.js";
import { didYouMean } from "../../did-you-mean.js";
import { GradstepError, list, show } from "../../errors.js";
import type { Group } from "../groups/group.js";
import type { MatchedParameter } from "../../rule/rule.js";
import type { KernelRun } from "../groups/rule-context.js";
import { checkActivatedGradients, type ActivatedGradients } from "./activated-gradients.js";
import { checkSlots, type SlotTable } from "./caller-slots.js";
import { checkCopies, namedCopies, type CopyTable } from "./copy-options.js";
import {
  checkDisjoint,
  checkIsTable,
  checkParameters,
  type Parameters,
} from "./parameter-checks.js";
import { rowCount } from "../rows/row-checks.js";
import { rowLimitsOf, type RowCounts, type RowLimit } from "../rows/row-limit.js";
import { RowSteps } from "../sparse/row-steps.js";
import { allocateSlots, gradientPool } from "./slot-allocation.js";

/** What is given together with parameters, by their names. */
export interface ParameterOptions<T extends Tensor = Tensor> {
  /**
   * Tensors that each step fills with the new values of parameters, for renderers and models: packed as f16, at any
   * stride, after an activation. Words may hold values of several parameters, and other data.
   */
  readonly copies?: CopyTable<T>;
  /**
   * Parameters whose gradients are by their activated values, such as by sigmoid(opacity): a step applies the chain rule
   * before anything else.
   */
  readonly activatedGradients?: ActivatedGradients;
  /**
   * Slots in caller-owned memory, by the names of parameters and slots: `{ opacity: { m, v } }`. They keep the values that
   * they have; `optimizer.reset()` gives them the first values of the rule. They are not freed with the optimizer.
   */
  readonly slots?: SlotTable<T>;
  /**
   * The numbers of rows of parameters whose tensors have space for more: one for all of these parameters, or by their
   * names. Steps leave out the rows from that number on, unless a mask is given to them. On WebGPU it can be a u32 tensor
   * that is read when a step is executed, as in `RemapOptions`. All rows if left out. A move of rows ends this.
   */
  readonly rowCounts?: RowCounts<T>;
}

/** The names of `ParameterOptions`. */
export const parameterOptionNames = ["copies", "activatedGradients", "slots", "rowCounts"] as const;

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

  /** Parameters, copies and caller-owned slots, by the names used in messages. */
  tensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name, update, group, ownSlots } of this.records) {
      tensors.set(name, update.parameter);
      for (const [one, tensor] of namedCopies(name, update.copies)) tensors.set(one, tensor);
      update.slots.forEach((slot, k) => {
        if (!ownSlots.includes(slot))
          tensors.set(`slot ${group.context.variant.slots[k].name} of ${name}`, slot);
      });
    }
    return tensors;
  }

  /** @throws {GradstepError} as `optimizer.add` does; then nothing has changed */
  add(parameters: Parameters, options: ParameterOptions): void {
    const { copies = {}, activatedGradients = {}, slots = {}, rowCounts } = options;
    const current = this.tensors();
    checkParameters(parameters, this.#backend, current);
    const backend = this.#backend ?? Object.values(parameters)[0]?.backend;
    const shapes = new Map(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
    const allCopies = checkCopies(copies, shapes, backend);
    const activations = checkActivatedGradients(
      activatedGradients,
      new Set(shapes.keys()),
      backend,
    );
    checkIsTable("slots", slots, "tables of tensors by the names of parameters");
    const named = Object.entries(parameters).map(([name, tensor]) => ({
      name,
      tensor,
      group: this.#groupOf({ name, shape: tensor.shape }),
      slots: (Object.hasOwn(slots, name) ? slots[name] : undefined) ?? {},
    }));
    checkSlots(slots, new Map(named.map((one) => [one.name, one])), backend);
    checkDisjoint([
      ...current,
      ...Object.entries(parameters),
      ...[...allCopies].flatMap(([name, ofOne]) => namedCopies(name, ofOne)),
      ...named.flatMap((one) =>
        Object.entries(one.slots).map(
          ([slot, tensor]) => [`slot ${slot} of ${one.name}`, tensor] as const,
        ),
      ),
    ]);
    if (named.length === 0) return;
    this.#checkSupport(named[0].tensor);
    const limits: ReadonlyMap<string, RowLimit> =
      rowCounts === undefined ? new Map() : rowLimitsOf(rowCounts, parameters, backend);
    // A backend may refuse a copy, so this comes before anything changes.
    for (const { name, tensor } of named)
      for (const copy of allCopies.get(name) ?? []) backend.fillCopy!(tensor, copy);
    const kernels = new Map<KernelRun, Kernel>();
    for (const { group } of named) {
      const { run, variant } = group.context;
      if (!kernels.has(run)) kernels.set(run, run.kernel ?? backend.compile(variant));
    }
    for (const { name, tensor, group } of named)
      checkRowSteps(name, tensor, allCopies.has(name), group, kernels.get(group.context.run)!);
    const runs = new Set([...this.records.map(({ run }) => run), ...kernels.keys()]);
    checkCanRunTogether(backend, [...runs]);
    const allSlots = allocateSlots(backend, named);
    for (const [run, kernel] of kernels) run.kernel = kernel;
    this.#backend = backend;
    for (const [i, { name, tensor, group, slots: ofCaller }] of named.entries()) {
      const callerSlots = new Set(Object.values(ofCaller));
      const all = allSlots[i];
      const update: Update = {
        ...plainUpdate({
          parameter: tensor,
          gradient: tensor,
          slots: all,
          scalars: group.scalars.values,
        }),
        upcomingScalars: group.scalars.upcoming,
        copies: allCopies.get(name) ?? [],
        gradientActivation: activations.get(name),
        mask: limits.get(name)?.mask,
      };
      const { size } = tensor;
      const record: ParameterRecord = {
        name,
        group,
        run: group.context.run,
        update,
        size,
        ownSlots: all.filter((slot) => !callerSlots.has(slot)),
        staging: undefined,
        gradient: undefined,
        accumulator: undefined,
        scaling: undefined,
        sparse: undefined,
        rowList: undefined,
        rowLimit: limits.get(name),
        slotResets: undefined,
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
      `Got ${isList ? list(unknown) : show(names)}; expected names of parameters without duplicates, from ${list(this.names)}.${didYouMean(unknown[0], this.names)}`,
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
        `Got ${show(name)}; the optimizer has the parameters ${list(this.names)}.${didYouMean(name, this.names)}`,
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

  /** Frees what was allocated: slots, staging tensors and gradients, not parameters, copies and caller-owned slots. */
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
  hasCopies: boolean,
  group: Group,
  kernel: Kernel,
): void {
  if (!group.sparseOptions.rowSteps) return;
  rowCount(name, parameter);
  if (kernel.takesRowLists === true && !hasCopies) return;
  throw new GradstepError(
    !hasCopies
      ? `Rows of "${name}" cannot count their own steps on backend ${parameter.backend.name}; leave rowSteps out, or use another backend.`
      : `Rows of "${name}" cannot count their own steps, since it has a copy; leave one of the two out.`,
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
  ownSlots,
  staging,
  gradient,
  accumulator,
  scaling,
  sparse,
  slotResets,
}: ParameterRecord): void {
  run.kernel?.release?.(update);
  const shared = new Set(run.shared.values());
  for (const slot of ownSlots) if (!shared.has(slot)) slot.free();
  staging?.free();
  gradient?.free();
  accumulator?.free();
  scaling?.parameter.free();
  sparse?.free();
  slotResets?.free();
}
