import { smallestNormal } from "@gradstep/core";
import type { Random } from "../suite/random/random.js";
import { roundDown, roundTowards, roundUp, ulp } from "./float-neighbors.js";

/**
 * What a shader is free to do with results ("Floating Point Accuracy" in the WebGPU Shading Language). `random` decides,
 * half of the time for an extreme.
 */
export class ShaderArithmetic {
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** Subnormal operands and results are replaced by 0 or not. */
  flush(x: number): number {
    return Math.abs(x) < smallestNormal && this.random.chance(0.5) ? 0 : x;
  }

  /** `+ − ×`: either neighbor of the exact result. */
  either(x: number): number {
    return this.flush(this.random.chance(0.5) ? roundUp(x) : roundDown(x));
  }

  /** A result up to this many ULP off. */
  off(exact: number, ulps: number): number {
    const { random } = this;
    if (!Number.isFinite(exact) || exact === 0) return exact;
    const error = random.chance(0.5) ? random.between(-1, 1) : random.pick([-1, 1]);
    return this.flush(roundTowards(exact + error * ulps * ulp(exact), exact));
  }

  divide(a: number, b: number): number {
    return this.off(a / b, 2.5);
  }

  exp(x: number): number {
    return this.off(Math.exp(x), 3 + 2 * Math.abs(x));
  }

  log(x: number): number {
    const exact = Math.log(x);
    if (x < 0.5 || x > 2) return this.off(exact, 3);
    const { random } = this;
    const error = random.chance(0.5) ? random.between(-1, 1) : random.pick([-1, 1]);
    return this.flush(roundTowards(exact + error * 2 ** -21, exact));
  }
}
