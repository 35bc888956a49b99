import { engine, type KernelBackend, type Tensor } from "@tensorflow/tfjs-core";
import { backendOf, directMemory, type DataId, type DirectMemory } from "./direct-memory.js";
import type { Pair } from "./gradients.js";

/** Where the new values of one variable are made. */
interface Target {
  /** Storage in a backend's own memory; with `fresh`, a new one that the variable takes over afterwards. */
  readonly memory?: DirectMemory;
  readonly dataId?: DataId;
  readonly fresh?: Tensor;
  /** A copy on the JavaScript side, which goes to the backend afterwards. */
  readonly copy?: Float32Array;
}

/**
 * The memory of one step: for each variable an array to update, its own where nothing else sees it, and for each
 * gradient an array to read. A storage that is shared is never changed: the variable gets a new one.
 */
export class StepMemory {
  readonly #pairs: readonly Pair[];
  readonly #targets: Target[] = [];

  /** Allocates all that is needed; afterwards nothing moves until `commit`. */
  constructor(pairs: readonly Pair[], inPlace: boolean) {
    this.#pairs = pairs;
    // A gradient may be a variable itself, of this step even: what is read must not change.
    const gradientIds = new Set(pairs.map(({ gradient }) => gradient.dataId));
    try {
      for (const { variable } of pairs) {
        const mayChange = inPlace && !gradientIds.has(variable.dataId);
        this.#targets.push(targetOf(variable, mayChange));
      }
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** The array that pair `i` updates. */
  parameter(i: number): Float32Array {
    const { memory, dataId, copy } = this.#targets[i];
    return copy ?? memory!.view(dataId!, this.#pairs[i].variable.size);
  }

  /** The gradient of pair `i`: to be read only. */
  gradient(i: number): Float32Array {
    const { gradient } = this.#pairs[i];
    const memory = directMemory(backendOf(gradient.dataId)!);
    return memory?.view(gradient.dataId, gradient.size) ?? (gradient.dataSync() as Float32Array);
  }

  /** Hands the new values to the variables. */
  commit(): void {
    this.#targets.forEach(({ memory, dataId, fresh, copy }, i) => {
      const { variable } = this.#pairs[i];
      if (memory !== undefined) memory.changed(dataId!, variable.size);
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
}

function targetOf(variable: Tensor, mayChange: boolean): Target {
  const { dataId, size, shape } = variable;
  const memory = directMemory(backendOf(dataId)!);
  if (mayChange && memory?.isExclusive(dataId) === true) return { memory, dataId };
  const copy = new Float32Array(
    memory?.view(dataId, size) ?? (variable.dataSync() as Float32Array),
  );
  const current: KernelBackend = engine().backend;
  const destination = directMemory(current);
  if (destination === undefined) return { copy };
  const fresh = engine().makeTensor(copy, shape, "float32", current);
  return { memory: destination, dataId: fresh.dataId, fresh };
}
