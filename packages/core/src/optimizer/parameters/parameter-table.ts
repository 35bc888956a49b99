import type { Backend, Kernel, Tensor } from "../../backend/backend.js";
import { didYouMean } from "../../argument-checks/did-you-mean.js";
import { GradstepError, list, show } from "../../errors.js";
import type { MatchedParameter } from "../../rule/rule.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import { rowLimitsOf, type RowLimit } from "../rows/row-limit.js";
import { checkActivatedGradients } from "./activated-gradients.js";
import { checkSlots } from "./caller-slots.js";
import { checkCopies, namedCopies } from "./copy-options.js";
import { checkCanRunTogether, checkRowSteps } from "./kernel-checks.js";
import {
  checkDisjoint,
  checkIsTable,
  checkParameters,
  type Parameters,
} from "./parameter-checks.js";
import type { ParameterOptions } from "./parameter-options.js";
import {
  freeRecord,
  parameterRecord,
  type ParameterRecord,
  type Staging,
} from "./parameter-record.js";
import { allocateSlots, gradientPool, type NewParameter } from "./slot-allocation.js";
import { isArray } from "../../argument-checks/is-array.js";

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
    const named = Object.entries(parameters).map(([name, tensor]): NewParameter => ({
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
    for (const one of named)
      checkRowSteps(one, allCopies.get(one.name) ?? [], kernels.get(one.group.context.run)!);
    const runs = new Set([...this.records.map(({ run }) => run), ...kernels.keys()]);
    checkCanRunTogether(backend, [...runs]);
    const allSlots = allocateSlots(backend, named);
    for (const [run, kernel] of kernels) run.kernel = kernel;
    this.#backend = backend;
    for (const [i, one] of named.entries()) {
      const { name, group } = one;
      const record = parameterRecord(one, {
        slots: allSlots[i],
        copies: allCopies.get(name) ?? [],
        activation: activations.get(name),
        rowLimit: limits.get(name),
      });
      this.records.push(record);
      this.byName.set(name, record);
      group.parameters.push(name);
    }
  }

  /**
   * The records of a name, or of a list of names.
   * @throws {GradstepError} `UNKNOWN_PARAMETER`, also for no name and for duplicates
   */
  select(given: string | readonly string[]): readonly ParameterRecord[] {
    const names = typeof given === "string" ? [given] : given;
    const isList =
      isArray(names) &&
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
  remove(names: string | readonly string[]): void {
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

  readonly stage: Staging = (record, values) => {
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
