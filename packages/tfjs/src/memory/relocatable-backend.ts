import {
  GradstepError,
  HostTensor,
  type Backend,
  type Kernel,
  type Tensor,
  type Update,
  type Values,
  type Variant,
  plainUpdate,
} from "@gradstep/core";
import { StepTensor } from "../step/step-tensor.js";
import { UnmanagedTensors } from "./unmanaged-tensors.js";
import { copyAdapter, type MemoryAdapter } from "./memory-adapter.js";
import { RelocatableTensor } from "./relocatable-tensor.js";

/**
 * The backend of one optimizer. It delegates to the backend of the current memory adapter, and relocates the slots when
 * the adapter changes.
 */
export class RelocatableBackend implements Backend {
  readonly name = "tfjs";
  readonly precision = "f32";
  readonly exact = false;
  /** Slots and copies of gradients in TF.js's memory. */
  readonly unmanaged = new UnmanagedTensors();
  #adapter: MemoryAdapter = copyAdapter;
  readonly #slots = new Set<RelocatableTensor>();
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
    const slot = new RelocatableTensor(this, current, pool, this.unmanaged, (freed) =>
      this.#slots.delete(freed),
    );
    this.#slots.add(slot);
    return slot;
  }

  reserve(sizes: readonly number[], pool?: number): void {
    this.#adapter.compute.reserve?.(sizes, pool);
  }

  /** Copies at once during a step; otherwise when the first step of the source runs. */
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

  staging(shape: readonly number[]): StepTensor {
    return new StepTensor(this, shape, this.unmanaged, () => this.#adapter.compute);
  }

  compile(variant: Variant): Kernel {
    let compute: Backend | undefined;
    let kernel: Kernel;
    let delegates = new WeakMap<Update, Update>();
    const batch: Update[] = [];
    const currentKernel = (): Kernel => {
      if (compute !== this.#adapter.compute) {
        ({ compute } = this.#adapter);
        kernel = compute.compile(variant);
        delegates = new WeakMap();
      }
      return kernel;
    };
    return {
      get source() {
        return currentKernel().source;
      },
      run: (updates, count) => {
        const current = currentKernel();
        for (let i = 0; i < count; i += 1) {
          const update = updates[i];
          const known = delegates.get(update);
          const delegate = delegateOf(update, known);
          batch[i] = delegate;
          if (delegate === known) continue;
          delegates.set(update, delegate);
          this.#slotsOf.set(update.parameter, update.slots as RelocatableTensor[]);
          this.#copyFirst(update.parameter as StepTensor);
        }
        current.run(batch, count);
      },
    };
  }

  /** Makes the copies of a parameter that has not been updated. */
  #copyFirst(parameter: StepTensor): void {
    for (const slot of this.#copies.get(parameter) ?? []) {
      const { current } = slot as RelocatableTensor;
      this.#adapter.compute.copy!(parameter.current, current);
    }
    this.#copies.delete(parameter);
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

/**
 * An update of the current backend. The same object for the same memory, because backends cache what they prepared for
 * an update.
 */
function delegateOf(update: Update, known: Update | undefined): Update {
  const { current: parameter } = update.parameter as StepTensor;
  const { current: gradient } = update.gradient as StepTensor;
  const slots = update.slots as readonly RelocatableTensor[];
  if (known?.parameter === parameter && areCurrent(known.slots, slots)) {
    known.gradient = gradient;
    return known;
  }
  // TF.js's gradients cover whole variables.
  return plainUpdate({
    parameter,
    gradient,
    slots: slots.map(({ current }) => current),
    scalars: update.scalars,
  });
}

function areCurrent(tensors: readonly Tensor[], slots: readonly RelocatableTensor[]): boolean {
  for (let i = 0; i < slots.length; i += 1) if (tensors[i] !== slots[i].current) return false;
  return true;
}
