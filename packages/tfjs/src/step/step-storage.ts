import { engine, type KernelBackend, type Tensor } from "@tensorflow/tfjs-core";
import { backendOf, valuesOf, type DataId, type MemoryAdapter } from "../memory/memory-adapter.js";
import type { Parameter } from "../state/parameter-table.js";
import type { Pair } from "./gradients.js";

/** Where the new values of one variable are computed. */
interface Target {
  /** Storage in the adapter's memory: the variable's own, or that of `replacement`. */
  readonly dataId?: DataId;
  /** A new tensor that is assigned to the variable after the step. */
  readonly replacement?: Tensor;
  /** A copy in JavaScript memory that is assigned to the variable after the step. */
  readonly copy?: Float32Array;
}

/** A variable and its gradient; none where it is updated with gradients of earlier calls. */
type StepPair = Pick<Pair, "variable"> & Partial<Pair>;

/**
 * The memory of one step: a storage to update per variable, and one to read per gradient. A variable's own storage is
 * updated in place only where it is exclusive; otherwise the variable gets a new one.
 */
export class StepStorage {
  readonly #pairs: readonly StepPair[];
  readonly #backend: KernelBackend;
  readonly #adapter: MemoryAdapter;
  readonly #targets: Target[] = [];

  /**
   * Allocates everything that the step needs from TF.js.
   * @param backend the one that TF.js computes on now.
   * @param adapter the one that the step uses: that of `backend`, or the copy adapter.
   */
  constructor(
    pairs: readonly StepPair[],
    backend: KernelBackend,
    adapter: MemoryAdapter,
    inPlace: boolean,
  ) {
    this.#pairs = pairs;
    this.#backend = backend;
    this.#adapter = adapter;
    // A gradient may itself be a variable, even one of this step: storage that is read must not change.
    const gradientIds = new Set(pairs.map(({ gradient }) => gradient?.dataId));
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

  /** Binds the optimizer's tensors to variables and gradients, in the same order. No storage moves until `commit`. */
  bind(parameters: readonly Parameter[]): void {
    const { memory } = this.#adapter;
    parameters.forEach(({ values, gradient: read }, i) => {
      const { dataId, copy } = this.#targets[i];
      if (copy === undefined) memory!.bind(values, dataId!);
      else values.stage(copy);
      const { gradient } = this.#pairs[i];
      if (gradient === undefined) return;
      if (this.#holds(gradient)) memory!.bind(read, gradient.dataId);
      else read.stage(gradient.dataSync<"float32">());
    });
    memory?.flush?.();
  }

  /** Gives the new values to the variables. */
  commit(): void {
    this.#targets.forEach(({ dataId, replacement, copy }, i) => {
      const { variable } = this.#pairs[i];
      if (dataId !== undefined) this.#adapter.memory!.markChanged(dataId, variable.size);
      if (replacement === undefined && copy === undefined) return;
      const next = replacement ?? engine().makeTensor(copy!, variable.shape, "float32");
      variable.assign(next);
      next.dispose();
    });
  }

  /** Frees what was allocated; the variables are unchanged. */
  abort(): void {
    for (const { replacement } of this.#targets) replacement?.dispose();
  }

  #target(variable: Tensor, mayChange: boolean): Target {
    const { memory } = this.#adapter;
    const { dataId } = variable;
    if (memory === undefined) return { copy: valuesOf(variable) };
    if (mayChange && this.#holds(variable) && memory.isExclusive(dataId)) return { dataId };
    const replacement = memory.copyOf(variable);
    return { dataId: replacement.dataId, replacement };
  }

  /** Whether a tensor is in the adapter's memory. */
  #holds({ dataId }: Tensor): boolean {
    return this.#adapter.memory !== undefined && backendOf(dataId) === this.#backend;
  }
}
