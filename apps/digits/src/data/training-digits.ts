import { seededRandom, type SeededRandom } from "@gradstep/apps-shared/random";
import { shiftDigits } from "./augmentation.js";
import { pixelsPerDigit, type DigitSet } from "./digit-set.js";
import { shuffle } from "./shuffle.js";

/** Where the order and the shifts of an epoch begin. */
export interface TrainingDigitsState {
  /** That of the random generator. */
  readonly random: number;
  readonly order: Uint16Array;
}

/** The digits of epoch after epoch: all of them, shuffled and shifted. */
export class TrainingDigits {
  readonly #digits: DigitSet;
  readonly #random: SeededRandom;
  readonly #order: Uint16Array;
  readonly #shifted: DigitSet;
  #start: TrainingDigitsState;

  constructor(digits: DigitSet, seed: number) {
    const { count } = digits;
    this.#digits = digits;
    this.#random = seededRandom(seed);
    this.#order = Uint16Array.from({ length: count }, (_, index) => index);
    this.#shifted = {
      count,
      pixels: new Float32Array(count * pixelsPerDigit),
      labels: new Uint8Array(count),
    };
    this.#start = this.#here();
  }

  /** The digits of the next epoch, in memory that the next call overwrites. */
  next(): DigitSet {
    this.#start = this.#here();
    shuffle(this.#order, this.#random);
    shiftDigits(this.#digits, this.#order, this.#random, this.#shifted);
    return this.#shifted;
  }

  /** From where `next` gives the digits of the current epoch again. */
  state(): TrainingDigitsState {
    return this.#start;
  }

  restore({ random, order }: TrainingDigitsState): void {
    this.#random.state = random;
    this.#order.set(order);
    this.#start = this.#here();
  }

  #here(): TrainingDigitsState {
    return { random: this.#random.state, order: this.#order.slice() };
  }
}
