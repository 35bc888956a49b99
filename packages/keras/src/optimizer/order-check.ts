import type { Hdf5Dataset } from "../hdf5/hdf5-tree.js";
import type { OrderCheck } from "../model/trainable-order.js";
import type { ModelVariable } from "../model/saveable.js";
import {
  haveShapes,
  isShape,
  shapeOf,
  type OptimizerOutline,
  type Parameter,
} from "./optimizer-variables.js";

/** The parameter of a variable. */
export function parameterOf({ name, dataset: { shape } }: ModelVariable): Parameter {
  return { name, shape };
}

/** Compares an order with the arrays of an optimizer. @param candidates the variables that may be trainable */
export function orderCheck(
  outline: OptimizerOutline,
  datasets: readonly Hdf5Dataset[],
  candidates: readonly ModelVariable[],
): OrderCheck {
  const counts = new Set(
    candidates.map(
      (one) => outline.variables([parameterOf(one)]).length - outline.variables([]).length,
    ),
  );
  const [each] = counts;
  const count =
    counts.size === 1 && each > 0
      ? (datasets.length - outline.variables([]).length) / each
      : undefined;
  return {
    count,
    next(position, variable) {
      const variables = outline.first(parameterOf(variable));
      const start = outline.headLength + position;
      const fits = variables.every((one, i) => {
        const dataset = datasets.at(start + i);
        return dataset !== undefined && isShape(dataset.shape, shapeOf(one));
      });
      return fits ? position + variables.length : undefined;
    },
    isComplete: (variables) => haveShapes(datasets, outline.variables(variables.map(parameterOf))),
  };
}
