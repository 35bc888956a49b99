import type { Optimizer, Tensor, Variable } from "@tensorflow/tfjs-core";
import type { Sequential } from "@tensorflow/tfjs-layers";

/** Exchanges the weights of a network with the averages of them that its optimizer keeps (core's stage `ema`). */
export class AveragedWeights {
  readonly #network: Sequential;
  readonly #optimizer: Optimizer;

  constructor(network: Sequential, optimizer: Optimizer) {
    this.#network = network;
    this.#optimizer = optimizer;
  }

  /** Calls `evaluate` while the network has the averages. Before the first step there are none. */
  async during<T>(evaluate: () => T | Promise<T>): Promise<T> {
    const averages = await this.#averages();
    const trained = new Map<Variable, Tensor>();
    for (const weight of this.#network.trainableWeights) {
      const variable = weight.read() as Variable;
      const average = averages.get(variable.name);
      if (average === undefined) continue;
      trained.set(variable, variable.clone());
      variable.assign(average);
    }
    try {
      return await evaluate();
    } finally {
      for (const [variable, values] of trained) {
        variable.assign(values);
        values.dispose();
      }
      for (const average of averages.values()) average.dispose();
    }
  }

  /** By the name of the variable. */
  async #averages(): Promise<Map<string, Tensor>> {
    const suffix = "/ema";
    const averages = new Map<string, Tensor>();
    for (const { name, tensor } of await this.#optimizer.getWeights()) {
      if (name.endsWith(suffix)) averages.set(name.slice(0, -suffix.length), tensor);
      else tensor.dispose();
    }
    return averages;
  }
}
