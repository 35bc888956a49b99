import type { Backend, BatchRun, Kernel, Tensor, Update, Variant } from "@gradstep/core";
import { plainUpdate } from "@gradstep/core/internal";
import type { StepTensor } from "../step/step-tensor.js";
import type { RelocatableTensor } from "./relocatable-tensor.js";

/** A kernel of one optimizer: that of the backend that computes now. */
export class RelocatableKernel implements Kernel {
  readonly #variant: Variant;
  readonly #compute: () => Backend;
  readonly #onFirst: (update: Update) => void;
  #current: Backend | undefined;
  #kernel: Kernel | undefined;
  /** The run on the backend that computes now. Reused, since a step allocates nothing. */
  readonly #run: { kernel: Kernel | undefined; readonly updates: Update[]; count: number } = {
    kernel: undefined,
    updates: [],
    count: 0,
  };
  #delegates = new WeakMap<Update, Update>();

  /**
   * @param compute returns the backend that computes now, which may change between steps
   * @param onFirst is told of an update before it runs for the first time in its memory
   */
  constructor(variant: Variant, compute: () => Backend, onFirst: (update: Update) => void) {
    this.#variant = variant;
    this.#compute = compute;
    this.#onFirst = onFirst;
  }

  get source(): string {
    return this.#ofBackend().source;
  }

  run(updates: readonly Update[], count: number): void {
    const { kernel, updates: batch } = this.delegate(updates, count);
    kernel!.run(batch, count);
  }

  /** The same run on the backend that computes now. Valid until the next call. */
  delegate(updates: readonly Update[], count: number): BatchRun {
    const kernel = this.#ofBackend();
    const run = this.#run;
    for (let i = 0; i < count; i += 1) {
      const update = updates[i];
      const known = this.#delegates.get(update);
      const delegate = delegateOf(update, known);
      run.updates[i] = delegate;
      if (delegate === known) continue;
      this.#delegates.set(update, delegate);
      this.#onFirst(update);
    }
    run.kernel = kernel;
    run.count = count;
    return run;
  }

  #ofBackend(): Kernel {
    const compute = this.#compute();
    if (this.#kernel === undefined || this.#current !== compute) {
      this.#current = compute;
      this.#kernel = compute.compile(this.#variant);
      this.#delegates = new WeakMap();
    }
    return this.#kernel;
  }
}

/** The tensor of the backend that computes now. */
function currentOf(tensor: Tensor): Tensor {
  return (tensor as StepTensor | RelocatableTensor).current;
}

/**
 * An update of the current backend. The same object for the same memory, because backends cache what they prepared for
 * an update.
 */
export function delegateOf(update: Update, known: Update | undefined): Update {
  const parameter = currentOf(update.parameter);
  const gradient = currentOf(update.gradient);
  if (known?.parameter === parameter && areCurrent(known.slots, update.slots)) {
    known.gradient = gradient;
    return known;
  }
  // TF.js's gradients cover whole variables.
  const slots = update.slots.map(currentOf);
  return plainUpdate({ parameter, gradient, slots, scalars: update.scalars });
}

function areCurrent(tensors: readonly Tensor[], slots: readonly Tensor[]): boolean {
  for (let i = 0; i < slots.length; i += 1) if (tensors[i] !== currentOf(slots[i])) return false;
  return true;
}
