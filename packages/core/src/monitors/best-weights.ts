import type { Tensor } from "../backend/backend.js";
import { isTensor } from "../backend/is-tensor.js";
import type { Values } from "../backend/memory.js";
import { GradstepError, show } from "../errors.js";
import {
  checkParameters,
  isOfTensorFlow,
  type Parameters,
} from "../optimizer/parameters/parameter-checks.js";
import { gradientPool } from "../optimizer/parameters/slot-allocation.js";
import { Misfits } from "../optimizer/state/misfit.js";
import { numbersAt, own, tableAt } from "../optimizer/state/state-values.js";

/** The values that the parameters of `earlyStopping` had at the best update, in memory of their backend. */
export class BestWeights {
  readonly #parameters: Parameters;
  readonly #copies = new Map<string, Tensor>();

  /** @throws {GradstepError} `INVALID_PARAMETER`, `DISPOSED`, `OVERLAPPING_MEMORY`, `UNSUPPORTED` */
  constructor(parameters: Parameters) {
    const all: Readonly<Record<string, unknown>> = Object(parameters);
    const foreign = Object.keys(all).find(
      (name) => !isTensor(all[name]) && isOfTensorFlow(all[name]),
    );
    if (foreign !== undefined)
      throw new GradstepError(
        `earlyStopping: "${foreign}" is of TensorFlow.js; expected a tensor of gradstep. Keep clones of model.getWeights() when bestEpoch changes, for model.setWeights().`,
        { code: "INVALID_PARAMETER" },
      );
    checkParameters(parameters);
    const backend = Object.values(parameters).at(0)?.backend;
    if (backend?.copy === undefined && backend !== undefined)
      throw new GradstepError(
        `Backend ${backend.name} cannot copy tensors, which keeping weights needs. Use another backend.`,
        { code: "UNSUPPORTED" },
      );
    this.#parameters = parameters;
  }

  /** Copies the parameters. */
  keep(): void {
    this.#allocate();
    for (const [name, parameter] of Object.entries(this.#parameters))
      parameter.backend.copy!(parameter, this.#copies.get(name)!);
  }

  /** @throws {GradstepError} `INVALID_SHAPE`, `DISPOSED` */
  putBack(): void {
    const all = Object.entries(this.#parameters);
    const other = all.find(([name, { size }]) => size !== this.#copies.get(name)?.size);
    if (other !== undefined) {
      const [name, { shape }] = other;
      const kept = this.#copies.get(name)?.shape;
      throw new GradstepError(
        `earlyStopping: "${name}" has shape ${show(shape)}, and its best weights ${show(kept)}; expected the same. Rows were moved since, or the weights were freed.`,
        { code: kept === undefined ? "DISPOSED" : "INVALID_SHAPE" },
      );
    }
    for (const [name, parameter] of all)
      parameter.backend.copy!(this.#copies.get(name)!, parameter);
  }

  async read(): Promise<Record<string, Values>> {
    const entries = [...this.#copies].map(
      async ([name, copy]) => [name, await copy.read()] as const,
    );
    return Object.fromEntries(await Promise.all(entries));
  }

  /**
   * @param saved the values by parameter, also as arrays and objects of JSON
   * @throws {GradstepError} `STATE_MISMATCH`, `OUT_OF_MEMORY`; then nothing has changed
   */
  write(saved: unknown): void {
    const misfits = new Misfits();
    const ofWeights = misfits.at("bestWeights");
    const table = tableAt(ofWeights, saved);
    const values = Object.entries(this.#parameters).map(([name, { size }]) => {
      const one = numbersAt(ofWeights.at(name), "shape", own(table, name), size);
      return [name, one ?? []] as const;
    });
    const [first] = misfits.all;
    if (first !== undefined)
      throw new GradstepError(`earlyStopping: ${first.message}`, {
        code: "STATE_MISMATCH",
        misfits: misfits.all,
      });
    this.#allocate();
    for (const [name, one] of values) this.#copies.get(name)!.write(one);
  }

  free(): void {
    for (const copy of this.#copies.values()) copy.free();
    this.#copies.clear();
  }

  /**
   * Makes tensors of the parameters' shapes, in other buffers: WebGPU copies only from one to another.
   * @throws {GradstepError} `OUT_OF_MEMORY`; then the old ones are kept
   */
  #allocate(): void {
    const made = new Map<string, Tensor>();
    try {
      for (const [name, { backend, shape, size }] of Object.entries(this.#parameters))
        if (this.#copies.get(name)?.size !== size)
          made.set(name, backend.tensor(shape, undefined, gradientPool));
    } catch (error) {
      for (const tensor of made.values()) tensor.free();
      throw error;
    }
    for (const [name, tensor] of made) {
      this.#copies.get(name)?.free();
      this.#copies.set(name, tensor);
    }
  }
}
