import {
  GradstepError,
  guardSteps,
  HostTensor,
  type Backend,
  type GuardingBackend,
  type GuardOptions,
  type Tensor,
  type Values,
  type Variant,
} from "@gradstep/core";
import { StepTensor } from "../step/step-tensor.js";
import { UnmanagedTensors } from "./unmanaged-tensors.js";
import { copyAdapter, type MemoryAdapter } from "./memory-adapter.js";
import { RelocatableGuard } from "./relocatable-guard.js";
import { RelocatableKernel } from "./relocatable-kernel.js";
import { RelocatableTensor } from "./relocatable-tensor.js";

/**
 * The backend of one optimizer. It delegates to the backend of the current memory adapter, and relocates the slots when
 * the adapter changes.
 */
export class RelocatableBackend implements Backend {
  readonly name = "tfjs";
  readonly precision = "f32";
  readonly exact = false;
  readonly guardSteps = guardSteps;
  /** Slots and copies of gradients in TF.js's memory. */
  readonly unmanaged = new UnmanagedTensors();
  #adapter: MemoryAdapter = copyAdapter;
  #guard: RelocatableGuard | undefined;
  readonly #slots = new Set<RelocatableTensor>();
  readonly #slotOwner = {
    backend: this,
    unmanaged: this.unmanaged,
    onFree: (slot: RelocatableTensor): void => void this.#slots.delete(slot),
  };
  /** The slots of each parameter that was updated. */
  readonly #slotsOf = new WeakMap<Tensor, readonly RelocatableTensor[]>();
  readonly #unsupported = new WeakSet<MemoryAdapter>();
  /** Slots that start as a copy of their parameter, which is bound to its values only in a step. */
  readonly #copies = new WeakMap<Tensor, Set<Tensor>>();

  /** Where steps are taken. */
  get adapter(): MemoryAdapter {
    return this.#adapter;
  }

  /**
   * Takes the steps of some variants with this adapter from now on, or on copies where its backend cannot compile all of
   * them. All slots are relocated.
   * @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY`; then nothing has changed
   */
  use(adapter: MemoryAdapter, variants: readonly Variant[]): void {
    const next = this.#canCompile(adapter, variants) ? adapter : copyAdapter;
    const { compute } = next;
    // What the device has counted has to be read as well.
    if (this.#guard !== undefined && next !== this.#adapter) this.#readSync(this.#guard.lossScale);
    const slots: RelocatableTensor[] = [];
    for (const slot of this.#slots) if (slot.current.backend !== compute) slots.push(slot);
    if (slots.length > 0) {
      const made: Tensor[] = [];
      try {
        for (const pool of new Set(slots.map((slot) => slot.pool))) {
          const sizes = slots.filter((slot) => slot.pool === pool).map(({ size }) => size);
          compute.reserve?.(sizes, pool);
        }
        for (const { shape, current, pool } of slots)
          made.push(compute.tensor(shape, this.#readSync(current), pool));
      } catch (error) {
        for (const tensor of made) tensor.free();
        throw error;
      }
      slots.forEach((slot, i) => slot.relocate(made[i]));
    }
    this.#adapter = next;
  }

  /**
   * Moves the slots of a parameter whose variable was disposed of out of TF.js's memory. Slots on a GPU stay there,
   * because they cannot be read synchronously.
   */
  moveToHost(parameter: Tensor): void {
    const { compute } = copyAdapter;
    for (const slot of this.#slotsOf.get(parameter) ?? []) {
      const { current, freed, shape } = slot;
      if (freed || current.backend === compute) continue;
      try {
        slot.relocate(compute.tensor(shape, this.#readSync(current)));
      } catch (error) {
        if (!(error instanceof GradstepError)) throw error;
      }
    }
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>, pool = 0): RelocatableTensor {
    const current = this.#adapter.compute.tensor(shape, values, pool);
    const slot = new RelocatableTensor(this.#slotOwner, current, pool);
    this.#slots.add(slot);
    return slot;
  }

  reserve(sizes: readonly number[], pool?: number): void {
    this.#adapter.compute.reserve?.(sizes, pool);
  }

  /** Copies at once during a step; otherwise in the next one, see `copyInitialValues`. */
  copy(source: Tensor, target: Tensor): void {
    const from = boundOf(source);
    const to = boundOf(target);
    if (from !== undefined && to !== undefined) {
      this.#adapter.compute.copy!(from, to);
      return;
    }
    const targets = this.#copies.get(source) ?? new Set();
    this.#copies.set(source, targets.add(target));
    (target as RelocatableTensor).onWrite = () => targets.delete(target);
  }

  /**
   * Makes the slots that start as a copy of a parameter, once it is bound. Calls that do not update the parameter need it
   * as well, because the state may be saved after them.
   */
  copyInitialValues(parameter: StepTensor): void {
    for (const slot of this.#copies.get(parameter) ?? []) {
      const { current } = slot as RelocatableTensor;
      this.#adapter.compute.copy!(parameter.current, current);
    }
    this.#copies.delete(parameter);
  }

  staging(shape: readonly number[]): StepTensor {
    return new StepTensor(this, shape, this.unmanaged, () => this.#adapter.compute);
  }

  compile(variant: Variant): RelocatableKernel {
    return new RelocatableKernel(
      variant,
      () => this.#adapter.compute,
      ({ parameter, slots }) => {
        this.#slotsOf.set(parameter, slots as readonly RelocatableTensor[]);
      },
    );
  }

  /** Lets the device of the current adapter decide which steps are skipped. The adapter can no longer be changed. */
  guard(options: GuardOptions): RelocatableGuard {
    const guard = (this.#adapter.compute as GuardingBackend).guard(options);
    this.#guard = new RelocatableGuard(guard, this.unmanaged);
    return this.#guard;
  }

  #readSync(tensor: Tensor): Values {
    return tensor instanceof HostTensor ? tensor.view() : this.#adapter.readSync(tensor);
  }

  #canCompile(adapter: MemoryAdapter, variants: readonly Variant[]): boolean {
    if (adapter === this.#adapter) return true;
    if (this.#unsupported.has(adapter)) return false;
    const { compute } = adapter;
    try {
      for (const variant of variants) compute.compile(variant);
      const isCopied = variants.some(({ slots }) => slots.some(({ initial }) => initial === "p"));
      if (!isCopied || compute.copy !== undefined) return true;
    } catch (error) {
      if (!(error instanceof GradstepError) || error.code !== "UNSUPPORTED") throw error;
    }
    this.#unsupported.add(adapter);
    return false;
  }
}

/** Where the values of a tensor are now; undefined for a parameter between steps. */
function boundOf(tensor: Tensor): Tensor | undefined {
  if (tensor instanceof StepTensor) return tensor.bound;
  return (tensor as RelocatableTensor).current;
}
