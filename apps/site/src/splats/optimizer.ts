import {
  adam,
  createOptimizer,
  type Optimizer,
  type Tensor,
} from "@gradstep/core";
import { attributeNames, attributes, byAttribute } from "./splat-rows.js";
import type { AttributeName, ByAttribute } from "./splat-rows.js";

/**
 * The optimizer of splats: one group per attribute, in the order of
 * `attributeNames`.
 */
export type SplatOptimizer<T extends Tensor> = Optimizer<
  "learningRate",
  T,
  never,
  AttributeName
>;

/**
 * Adam with a learning rate per attribute. It takes gradients by the activated
 * values, and each step also updates the activated values.
 *
 * @param parameters the columns of each attribute in the rows that are trained
 * @param activated the same columns in the rows that the renderer reads
 * @param rowCounts the number of rows, if it is not that of the tensors
 */
export function createSplatOptimizer<T extends Tensor>(
  parameters: ByAttribute<T>,
  activated: ByAttribute<T>,
  rowCounts?: T,
): SplatOptimizer<T> {
  return createOptimizer(
    adam({ epsilon: 1e-8, epsilonMode: "paper" }),
    parameters,
    {
      groups: attributeNames.map((match) => ({
        match,
        learningRate: attributes[match].learningRate,
      })),
      copies: byAttribute((name) => ({
        to: activated[name],
        as: attributes[name].activation,
      })),
      activatedGradients: byAttribute((name) => attributes[name].activation),
      ...(rowCounts === undefined ? {} : { rowCounts }),
    },
  );
}

/** Sets the rates of the next step. */
export function setLearningRates<T extends Tensor>(
  optimizer: SplatOptimizer<T>,
  rates: ByAttribute<number>,
  factor: number,
): void {
  attributeNames.forEach((name, i) => {
    optimizer.groups[i].learningRate = factor * rates[name];
  });
}
