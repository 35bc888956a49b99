import type { TensorExpression, TensorOp } from "./expression.js";
import { isWithin } from "./extent.js";
import { reductions } from "./functions.js";
import { reductionKey, unshared } from "./reduction-key.js";
import type { GraphBuilder, Source } from "./build-program.js";
import type { Draft } from "./program.js";
import { SyntaxFault } from "./syntax-fault.js";

/** Resolves reductions and `newtonSchulz`. @throws {SyntaxFault} for operands that these cannot have */
export function resolveTensorOperation(
  expression: TensorExpression,
  source: Source,
  graph: GraphBuilder,
): number {
  return expression.name === "newtonSchulz"
    ? resolveNewtonSchulz(expression, source, graph)
    : resolveReduction(expression, source, graph);
}

/** `mean` is a sum divided by a count of at least 1, `norm` the root of a sum of squares. */
function resolveReduction(
  { name, operands: [operand], at }: TensorExpression,
  source: Source,
  { add, operation, drafts, resolve }: GraphBuilder,
): number {
  const { kind, over } = reductions.get(name)!;
  const value = resolve(operand, source);
  const { extent } = drafts[value];
  if (!isWithin(extent, over))
    throw new SyntaxFault("nothing to reduce", source.text, at, name, extent);
  const reduced = (op: TensorOp, of: number): number =>
    over === "all" && extent !== "tensor"
      ? add(op, [add(op, [of], "tensor")], "all")
      : add(op, [of], over);
  /** Rules that share a sum over all tensors divide by the count of all of them: it is shared as the sum is. */
  const counted = (): number => {
    if (over !== "all") return add("count", [], over, { name: extent });
    const perTensor = add("count", [], "tensor", { name: extent });
    return add("sum", [perTensor], "all", { name: reductionKey(drafts, value) ?? unshared });
  };
  if (kind === "max") return reduced("maximum", value);
  if (kind === "sum") return reduced("sum", value);
  if (kind === "norm") return operation("sqrt", reduced("sum", operation("mul", value, value)));
  const sum = reduced("sum", value);
  // A mask can leave out everything: the mean of nothing is 0, which does not spread as NaN would.
  const one = add("number", [], "step", { value: 1 });
  const count = operation("max", counted(), one);
  return operation("div", sum, count);
}

/** A matrix of elements, and three coefficients that the host knows. */
function resolveNewtonSchulz(
  { name, operands, at }: TensorExpression,
  source: Source,
  { add, drafts, resolve }: GraphBuilder,
): number {
  const nodes = operands.map((operand) => resolve(operand, source));
  const [{ extent }, ...coefficients] = nodes.map((node) => drafts[node]);
  if (extent !== "element")
    throw new SyntaxFault("nothing to reduce", source.text, at, name, extent);
  const isNumber = ({ op, operands: [a] }: Draft): boolean =>
    op === "number" || (op === "neg" && drafts[a].op === "number");
  const isScalar = (one: Draft): boolean => one.op === "input" && one.extent === "step";
  if (coefficients.some((one) => !isNumber(one) && !isScalar(one)))
    throw new SyntaxFault("computed coefficient", source.text, at);
  return add("newtonSchulz", nodes, "element");
}
