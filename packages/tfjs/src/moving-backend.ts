import {
  GradstepError,
  type Backend,
  type Kernel,
  type Tensor,
  type Update,
  type Variant,
} from "@gradstep/core";
import { elsewhere, type Home } from "./home.js";
import { MovingTensor } from "./moving-tensor.js";
import { StepTensor } from "./step-tensor.js";

/**
 * The backend of one optimizer: passes all work on to that of the home where steps are taken now, and takes the slots
 * along when the home changes.
 */
export class MovingBackend implements Backend {
  readonly name = "tfjs";
  readonly precision = "f32";
  readonly exact = false;
  #home: Home = elsewhere;
  readonly #slots = new Set<MovingTensor>();
  readonly #refused = new WeakSet<Home>();

  /** Where steps are taken. */
  get home(): Home {
    return this.#home;
  }

  /**
   * Takes the steps of a variant somewhere from now on; where it cannot be compiled there, on copies.
   * @throws {GradstepError} `UNSUPPORTED`, `OUT_OF_MEMORY`; then everything is where it was
   */
  moveTo(home: Home, variant: Variant): void {
    const next = this.#canCompile(home, variant) ? home : elsewhere;
    const { compute } = next;
    if (compute !== this.#home.compute) {
      const slots = [...this.#slots];
      const made: Tensor[] = [];
      try {
        for (const pool of new Set(slots.map((slot) => slot.pool))) {
          const sizes = slots.filter((slot) => slot.pool === pool).map(({ size }) => size);
          compute.reserve?.(sizes, pool);
        }
        for (const { shape, present, pool } of slots)
          made.push(compute.tensor(shape, this.#home.readSync(present), pool));
      } catch (error) {
        for (const tensor of made) tensor.free();
        throw error;
      }
      slots.forEach((slot, i) => slot.moveTo(made[i]));
    }
    this.#home = next;
  }

  tensor(shape: readonly number[], values?: ArrayLike<number>, pool = 0): MovingTensor {
    const present = this.#home.compute.tensor(shape, values, pool);
    const slot = new MovingTensor(this, present, pool, (freed) => this.#slots.delete(freed));
    this.#slots.add(slot);
    return slot;
  }

  reserve(sizes: readonly number[], pool?: number): void {
    this.#home.compute.reserve?.(sizes, pool);
  }

  staging(shape: readonly number[]): StepTensor {
    return new StepTensor(this, shape, () => this.#home.compute);
  }

  compile(variant: Variant): Kernel {
    let compute: Backend | undefined;
    let kernel: Kernel;
    /** Updates as the backend that computes now takes them. */
    let present = new WeakMap<Update, Update>();
    const batch: Update[] = [];
    const kernelNow = (): Kernel => {
      if (compute !== this.#home.compute) {
        ({ compute } = this.#home);
        kernel = compute.compile(variant);
        present = new WeakMap();
      }
      return kernel;
    };
    return {
      get source() {
        return kernelNow().source;
      },
      run: (updates, count) => {
        const now = kernelNow();
        for (let i = 0; i < count; i += 1) {
          const update = updates[i];
          const known = present.get(update);
          batch[i] = presentOf(update, known);
          if (batch[i] !== known) present.set(update, batch[i]);
        }
        now.run(batch, count);
      },
    };
  }

  #canCompile(home: Home, variant: Variant): boolean {
    if (home === this.#home) return true;
    if (this.#refused.has(home)) return false;
    try {
      home.compute.compile(variant);
      return true;
    } catch (error) {
      if (!(error instanceof GradstepError) || error.code !== "UNSUPPORTED") throw error;
      this.#refused.add(home);
      return false;
    }
  }
}

/** The same object for the same memory: backends keep what they have prepared for it. */
function presentOf(update: Update, known: Update | undefined): Update {
  const { present: parameter } = update.parameter as StepTensor;
  const { present: gradient } = update.gradient as StepTensor;
  if (known?.parameter === parameter) {
    known.gradient = gradient;
    return known;
  }
  return {
    parameter,
    gradient,
    slots: update.slots.map((slot) => (slot as MovingTensor).present),
    scalars: update.scalars,
    // TF.js's gradients are of whole variables.
    mirror: undefined,
    mask: undefined,
    unselectedRows: "keep",
  };
}
