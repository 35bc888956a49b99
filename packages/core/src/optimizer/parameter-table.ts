import type { Backend, Kernel, Tensor, Update, Values } from "../backend/backend.js";
import type { ParameterRecord } from "./parameter-record.js";
import { GradstepError, list, show } from "../errors.js";
import type { Group } from "./groups.js";
import { checkMirrors, checkDisjoint, checkParameters, type Parameters } from "./parameters.js";
import { allocateSlots, gradientPool } from "./slots.js";
import type { Variant } from "../rule/variant.js";

/** The parameters of an optimizer, with what belongs to each; and the backend that they bring. */
export class ParameterTable {
  readonly entries: ParameterRecord[] = [];
  readonly byName = new Map<string, ParameterRecord>();
  readonly #variant: Variant;
  readonly #groupOf: (name: string) => Group;
  #backend: Backend | undefined;
  #kernel: Kernel | undefined;
  /** Entries in front for whose gradients there is room. */
  #reserved = 0;

  /** @param groupOf where a parameter of this name belongs. @throws as that does */
  constructor(variant: Variant, groupOf: (name: string) => Group) {
    this.#variant = variant;
    this.#groupOf = groupOf;
  }

  /** The one of the first parameter; undefined as long as there is none. */
  get backend(): Backend | undefined {
    return this.#backend;
  }

  get kernel(): Kernel | undefined {
    return this.#kernel;
  }

  get names(): readonly string[] {
    return this.entries.map(({ name }) => name);
  }

  /** Parameters and mirrors, by names for people. */
  tensors(): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name, update } of this.entries) {
      tensors.set(name, update.parameter);
      if (update.mirror !== undefined) tensors.set(`mirror of ${name}`, update.mirror);
    }
    return tensors;
  }

  /** @throws {GradstepError} as `optimizer.add` does; then nothing has changed */
  add(parameters: Parameters, mirrors: Parameters): void {
    const present = this.tensors();
    checkParameters(parameters, this.#backend, present);
    const shapes = new Map(Object.entries(parameters).map(([name, { shape }]) => [name, shape]));
    checkMirrors(mirrors, shapes, this.#backend ?? Object.values(parameters)[0]?.backend);
    const mirrored = Object.entries(mirrors).map(
      ([name, mirror]) => [`mirror of ${name}`, mirror] as const,
    );
    checkDisjoint([...present, ...Object.entries(parameters), ...mirrored]);
    const named = Object.entries(parameters).map(([name, tensor]) => ({
      name,
      tensor,
      group: this.#groupOf(name),
    }));
    if (named.length === 0) return;
    const backend = this.#backend ?? named[0].tensor.backend;
    // A backend may refuse a mirror: before anything is the optimizer's.
    for (const { name, tensor } of named)
      if (mirrors[name] !== undefined) backend.pack!(tensor, mirrors[name]);
    const kernel = this.#kernel ?? backend.compile(this.#variant);
    const allSlots = allocateSlots(backend, this.#variant, named);
    this.#kernel = kernel;
    this.#backend = backend;
    for (const [i, { name, tensor, group }] of named.entries()) {
      const update: Update = {
        parameter: tensor,
        mirror: mirrors[name],
        gradient: tensor,
        mask: undefined,
        unselectedRows: "keep",
        slots: allSlots[i],
        scalars: group.scalars.values,
      };
      const { size } = tensor;
      const entry: ParameterRecord = {
        name,
        group,
        update,
        size,
        staging: undefined,
        gradient: undefined,
      };
      this.entries.push(entry);
      this.byName.set(name, entry);
      group.parameters.push(name);
    }
  }

  /** The entries of these names. @throws {GradstepError} `UNKNOWN_PARAMETER`, also for none and for one that comes twice */
  select(names: readonly string[]): readonly ParameterRecord[] {
    const isList =
      Array.isArray(names) &&
      names.length > 0 &&
      new Set(names).size === names.length &&
      [...names].every((name) => typeof name === "string");
    const unknown = isList ? names.filter((name) => !this.byName.has(name)) : [];
    if (isList && unknown.length === 0) return names.map((name) => this.byName.get(name)!);
    throw new GradstepError(
      `Got ${isList ? list(unknown) : show(names)}; expected some of the parameters ${list(this.names)}, each once.`,
      { code: "UNKNOWN_PARAMETER" },
    );
  }

  /** @throws {GradstepError} as `optimizer.remove` does; then nothing has changed */
  remove(names: readonly string[]): void {
    for (const entry of this.select(names)) {
      const { name, group } = entry;
      const index = this.entries.indexOf(entry);
      if (index < this.#reserved) this.#reserved -= 1;
      this.entries.splice(index, 1);
      this.byName.delete(name);
      group.parameters.splice(group.parameters.indexOf(name), 1);
      freeRecord(entry);
    }
  }

  /** The tensor for a parameter's gradient. @throws {GradstepError} `UNKNOWN_PARAMETER`, `OUT_OF_MEMORY` */
  gradient(name: string): Tensor {
    const entry = this.byName.get(name);
    if (entry === undefined) {
      throw new GradstepError(
        `Got ${show(name)}; the optimizer has the parameters ${list(this.names)}.`,
        { code: "UNKNOWN_PARAMETER" },
      );
    }
    this.#reserveGradients();
    entry.gradient ??= this.#backend!.tensor(entry.update.parameter.shape, undefined, gradientPool);
    return entry.gradient;
  }

  /** The tensor through which a typed array enters. */
  readonly stage = (entry: ParameterRecord, values: Values): Tensor => {
    if (entry.staging === undefined) this.#reserveGradients();
    entry.staging ??= this.#backend!.staging(entry.update.parameter.shape);
    entry.staging.stage(values);
    return entry.staging;
  };

  /** Frees what was allocated: not the parameters, nor mirrors of them. */
  free(): void {
    for (const entry of this.entries) freeRecord(entry);
  }

  /** Room for the gradients of all parameters, when the first of them is made. */
  #reserveGradients(): void {
    if (this.#reserved === this.entries.length) return;
    const sizes = this.entries.slice(this.#reserved).map(({ update }) => update.parameter.size);
    this.#backend!.reserve?.(sizes, gradientPool);
    this.#reserved = this.entries.length;
  }
}

function freeRecord({ update, staging, gradient }: ParameterRecord): void {
  for (const slot of update.slots) slot.free();
  staging?.free();
  gradient?.free();
}
