import { engine, type KernelBackend, type Tensor } from "@tensorflow/tfjs-core";
import { backendOf, valuesOf, type DataId, type Home } from "./home.js";
import type { Pair } from "./gradients.js";
import type { Parameter } from "./parameters.js";

/** Where the new values of one variable are made. */
interface Target {
  /** Storage in the home's memory; with `fresh`, a new one that the variable takes over afterwards. */
  readonly dataId?: DataId;
  readonly fresh?: Tensor;
  /** A copy on the JavaScript side, which goes to the backend afterwards. */
  readonly copy?: Float32Array;
}

/**
 * The memory of one step: for each variable a storage to update, its own where nothing else sees it, and for each
 * gradient one to read. A storage that is shared is never changed: the variable gets a new one.
 */
export class StepMemory {
  readonly #pairs: readonly Pair[];
  readonly #backend: KernelBackend;
  readonly #home: Home;
  readonly #targets: Target[] = [];

  /**
   * Allocates all that is needed of TF.js.
   * @param backend the one that TF.js computes on now, whose home the step is taken in.
   */
  constructor(pairs: readonly Pair[], backend: KernelBackend, home: Home, inPlace: boolean) {
    this.#pairs = pairs;
    this.#backend = backend;
    this.#home = home;
    // A gradient may be a variable itself, of this step even: what is read must not change.
    const gradientIds = new Set(pairs.map(({ gradient }) => gradient.dataId));
    try {
      for (const { variable } of pairs) {
        const mayChange = inPlace && !gradientIds.has(variable.dataId);
        this.#targets.push(this.#target(variable, mayChange));
      }
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Lets the optimizer's tensors stand for variables and gradients, in their order. Nothing moves until `commit`. */
  place(parameters: readonly Parameter[]): void {
    const { memory } = this.#home;
    parameters.forEach(({ values, gradient: read }, i) => {
      const { dataId, copy } = this.#targets[i];
      if (copy === undefined) memory!.place(values, dataId!);
      else values.stage(copy);
      const { gradient } = this.#pairs[i];
      if (this.#holds(gradient)) memory!.place(read, gradient.dataId);
      else read.stage(gradient.dataSync<"float32">());
    });
    memory?.flush?.();
  }

  /** Hands the new values to the variables. */
  commit(): void {
    this.#targets.forEach(({ dataId, fresh, copy }, i) => {
      const { variable } = this.#pairs[i];
      if (dataId !== undefined) this.#home.memory!.changed(dataId, variable.size);
      if (fresh === undefined && copy === undefined) return;
      const next = fresh ?? engine().makeTensor(copy!, variable.shape, "float32");
      variable.assign(next);
      next.dispose();
    });
  }

  /** Gives back what was allocated; the variables stay as they are. */
  abort(): void {
    for (const { fresh } of this.#targets) fresh?.dispose();
  }

  #target(variable: Tensor, mayChange: boolean): Target {
    const { memory } = this.#home;
    const { dataId } = variable;
    if (memory === undefined) return { copy: valuesOf(variable) };
    if (mayChange && this.#holds(variable) && memory.isExclusive(dataId)) return { dataId };
    const fresh = memory.copyOf(variable);
    return { dataId: fresh.dataId, fresh };
  }

  /** Whether a tensor lies in the home's memory. */
  #holds({ dataId }: Tensor): boolean {
    return this.#home.memory !== undefined && backendOf(dataId) === this.#backend;
  }
}
