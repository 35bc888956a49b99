import { activationBounds } from "../../bounds/activation-bounds.js";
import { errorOverBound, stored } from "../../bounds/bounds.js";
import type { ErrorModel } from "../../bounds/error-model.js";
import { certainInput, isAnything } from "../../bounds/interval.js";
import { float16Bound } from "../../bounds/stored-value-bounds.js";
import type { CheckStats } from "../../checker/check-stats.js";
import { text } from "../../checker/violation.js";
import { assert } from "../assertions.js";
import { rowsOf } from "./given-gradient.js";
import { checkedActivation, type LaidOutCopy } from "./laid-out-parameter.js";

/** A copy of a parameter, and both their values. */
interface FilledCopy {
  readonly copy: LaidOutCopy;
  readonly got: ArrayLike<number>;
  readonly parameter: { readonly shape: readonly number[]; readonly values: ArrayLike<number> };
}

/**
 * A copy holds the activated values of a parameter.
 * @throws {ConformanceError} for the first value outside its bound
 */
export function checkCopy(
  what: string,
  { copy: { dtype, activation }, got, parameter: { shape, values } }: FilledCopy,
  model: ErrorModel,
  stats: CheckStats,
): void {
  const checked = checkedActivation(activation);
  const results = rowsOf(values, shape).flatMap((row) =>
    activationBounds(
      checked,
      row.map((x) => certainInput(x, model)),
      model,
    ),
  );
  results.forEach((result, i) => {
    const bound = dtype === "f16" ? float16Bound(result, model) : stored(result, model);
    stats.elements += 1;
    if (isAnything(bound)) {
      stats.unbounded += 1;
      return;
    }
    const ratio = errorOverBound(got[i], bound);
    if (ratio > stats.worstErrorOverBound) stats.worstErrorOverBound = ratio;
    const { low, exact, high } = bound;
    assert(
      ratio <= 1,
      `${what}[${i}] (${checked.kind} of ${values[i]}, ${dtype}) is ${text(got[i])}; ` +
        `expected ${text(exact)}, between ${text(low)} and ${text(high)} (error/bound ${ratio.toPrecision(4)})`,
    );
  });
}
