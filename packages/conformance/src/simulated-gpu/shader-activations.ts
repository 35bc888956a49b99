import type { CheckedActivation } from "@gradstep/core";
import type { Random } from "../suite/random/random.js";
import { ShaderArithmetic } from "./shader-arithmetic.js";

const f32 = Math.fround;

/** Activations and their derivatives, computed with the largest errors that WGSL allows. */
export class ShaderActivations {
  readonly #shader: ShaderArithmetic;

  constructor(random: Random) {
    this.#shader = new ShaderArithmetic(random);
  }

  /** The activated values of a row. */
  activate({ kind, scale, offset }: CheckedActivation, row: readonly number[]): number[] {
    const shader = this.#shader;
    const values = row.map((x) => shader.flush(x));
    switch (kind) {
      case "identity":
        return values;
      case "exp":
        return values.map((x) => shader.exp(x));
      case "sigmoid":
        return values.map((x) => this.#sigmoid(x));
      case "softplus":
        return values.map((x) => this.#softplus(x));
      case "affine":
        return values.map((x) => shader.either(shader.either(x * scale) + offset));
      case "normalize": {
        const norm = this.#normOf(values);
        return values.map((x) => shader.divide(x, norm));
      }
    }
  }

  /** Gradients by the values of a row, from those by its activated values. */
  chainRule(
    { kind, scale }: CheckedActivation,
    row: readonly number[],
    gradients: readonly number[],
  ): number[] {
    const shader = this.#shader;
    const values = row.map((x) => shader.flush(x));
    if (kind === "normalize") {
      const norm = this.#normOf(values);
      const normalized = values.map((x) => shader.divide(x, norm));
      const along = this.#sum(normalized.map((n, i) => shader.either(n * gradients[i])));
      return gradients.map((g, i) =>
        shader.divide(shader.either(g - shader.either(normalized[i] * along)), norm),
      );
    }
    return gradients.map((g, i) => {
      const x = values[i];
      switch (kind) {
        case "exp":
          return shader.either(g * shader.exp(x));
        case "sigmoid":
          return shader.either(g * shader.either(this.#sigmoid(x) * this.#sigmoid(-x)));
        case "softplus":
          return shader.either(g * this.#sigmoid(x));
        case "affine":
          return shader.either(g * scale);
        case "identity":
          return g;
      }
    });
  }

  #sigmoid(x: number): number {
    const shader = this.#shader;
    const e = shader.exp(-Math.abs(x));
    return shader.divide(x >= 0 ? 1 : e, shader.either(1 + e));
  }

  #softplus(x: number): number {
    const shader = this.#shader;
    const e = shader.exp(-Math.abs(x));
    if (e >= 2 ** -6) return shader.either(Math.max(x, 0) + shader.log(shader.either(1 + e)));
    const times = (a: number, b: number): number => shader.either(a * b);
    const minus = (a: number, b: number): number => shader.either(a - b);
    const cubic = minus(f32(1 / 3), times(e, 0.25));
    const series = times(e, minus(1, times(e, minus(0.5, times(e, cubic)))));
    return shader.either(Math.max(x, 0) + series);
  }

  #normOf(values: readonly number[]): number {
    const shader = this.#shader;
    const squares = this.#sum(values.map((x) => shader.either(x * x)));
    const root = squares === 0 ? 0 : shader.divide(1, shader.off(1 / Math.sqrt(squares), 2));
    return Math.max(root, f32(1e-12));
  }

  #sum(values: readonly number[]): number {
    return values.reduce((sum, value) => this.#shader.either(sum + value), 0);
  }
}
