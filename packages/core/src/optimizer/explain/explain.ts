import { dimensionsOf, hasRowsOf } from "../../backend/dimensions.js";
import { GradstepError, show } from "../../errors.js";
import { countOf } from "../../language/dimensions.js";
import type { Extent } from "../../language/extent.js";
import { bytecodeOf } from "../../language/bytecode.js";
import { interpret } from "../../language/interpret.js";
import { resolveStatements, type Scope, type Statement } from "../../language/build-program.js";
import type { Draft } from "../../language/program.js";
import { resolveTensorOperation } from "../../language/tensor-operations.js";
import { withOn } from "../../rule/rule.js";
import { scopesOf, type SlotExtent, type VariantTexts } from "../../rule/variant.js";
import type { Group } from "../groups/group.js";
import type { KernelRun } from "../groups/rule-context.js";
import type { ParameterRecord } from "../parameters/parameter-record.js";
import type { NonFinite } from "../../rule/step-control-options.js";
import { describeExplanation, type ExplainedLine, type Explanation } from "./explanation.js";
import { gradientsOfStep, type GivenGradients } from "./gradients-of-step.js";
import { linesOf } from "./explained-lines.js";
import { shownNames } from "./shown-names.js";
import { memoize } from "./memoize.js";
import { areFinite, gradientReader, readRecord } from "./read-records.js";
import { GraphValues, type RuleValues, type TensorValues } from "./graph-values.js";

/** The statements of a rule, resolved for one group. */
interface ResolvedRule {
  readonly texts: VariantTexts;
  readonly scope: Scope;
  readonly drafts: readonly Draft[];
  readonly statements: readonly Statement[];
  readonly perStep: {
    readonly drafts: readonly Draft[];
    readonly statements: readonly Statement[];
  };
  /** How the names of the program are shown. */
  readonly shown: (name: string) => string;
}

/** An optimizer and its gradients, as the next step would take them. */
interface NextStep {
  /** All rules of the optimizer. */
  readonly runs: readonly KernelRun[];
  /** All parameters of the optimizer; those with a gradient take part in reductions over all tensors. */
  readonly byName: ReadonlyMap<string, ParameterRecord>;
  readonly gradients: GivenGradients;
  /** What happens where a gradient is not finite; nothing if undefined. */
  readonly nonFinite: NonFinite | undefined;
}

/**
 * What the next step would do with one element: each line of the rule with its value, computed as the reference does.
 *
 * @throws {GradstepError} `INVALID_PARAMETER` for an index outside the parameter, and as `optimizer.step` does
 */
export async function explain(
  record: ParameterRecord,
  index: number,
  { runs, byName, gradients: given, nonFinite = "propagate" }: NextStep,
): Promise<Explanation> {
  const gradients = gradientsOfStep(given, byName, record.name);
  const { parameter } = record.update;
  if (!Number.isSafeInteger(index) || index < 0 || index >= parameter.size) {
    throw new GradstepError(
      `explain: got ${show(index)} as the index; expected an integer from 0 to ${parameter.size - 1}.`,
      { code: "INVALID_PARAMETER" },
    );
  }
  const { precision } = parameter.backend;
  const ruleOf = memoize(resolvedRule);
  const rule = ruleOf(record.group);
  const needsAll = rule.drafts.some(({ extent }) => extent === "all");
  const { clock } = record.group.context;
  const { every } = record.group;
  const step = Math.ceil((clock.iterations + 1) / every) * every;
  const taking = [...byName.values()].filter(
    (one) =>
      (gradients[one.name] ?? undefined) !== undefined && (one === record || one.group.isDue(step)),
  );
  const readGradient = gradientReader(gradients);
  const read = await Promise.all(
    (needsAll ? taking : [record]).map((one) => readRecord(one, readGradient)),
  );
  const perGroup = new Map<Group, StepValues>();
  // Schedules go by the clock.
  const { iterations } = clock;
  clock.iterations = step - 1;
  try {
    for (const { record: one } of read)
      if (!perGroup.has(one.group))
        perGroup.set(one.group, stepValues(one.group, ruleOf(one.group), stepsOf(one, index) + 1));
  } finally {
    clock.iterations = iterations;
  }
  const tensors = new Map<ParameterRecord, TensorValues>(
    read.map(({ record: one, arrays, selects }) => {
      const { shape } = one.update.parameter;
      const { matrices } = one.group.context.variant;
      const dimensions = dimensionsOf(shape, matrices);
      const isSelected = (extent: Extent, i: number): boolean =>
        !hasRowsOf(extent as SlotExtent, shape, matrices) ||
        selects(Math.floor((i * (shape[0] ?? 1)) / countOf(extent, dimensions)));
      return [one, { dimensions, arrays, scalars: perGroup.get(one.group)!.scalars, isSelected }];
    }),
  );
  // In the order of the optimizer's rules, as reductions over all tensors go.
  const rules = new Map<KernelRun, RuleValues>();
  for (const run of runs) {
    const own = read.filter((one) => one.record.run === run).map((one) => one.record);
    if (own.length === 0) continue;
    const drafts = run === record.run ? rule.drafts : ruleOf(own[0].group).drafts;
    rules.set(run, { drafts, tensors: own.map((one) => tensors.get(one)!) });
  }
  const graph = new GraphValues(rules.get(record.run)!, [...rules.values()], precision);
  const tensor = tensors.get(record)!;
  const values = graph.at(tensor, index);
  const { lines: perStep, t } = perGroup.get(record.group)!;
  const inputOf = (name: string): number | undefined => {
    const input = rule.drafts.findIndex((draft) => draft.op === "input" && draft.name === name);
    return input < 0 ? undefined : values[input];
  };
  const perElement = linesOf(rule.statements, values, "per element", { inputOf, ...rule });
  const updated = rule.statements.filter(({ name }) => name === "p").at(-1);
  const before = tensor.arrays.get("p")![index];
  let unchanged: Explanation["unchanged"];
  if (record.group.frozen) unchanged = "frozen";
  else if (nonFinite !== "propagate" && !(await areFinite(taking, readGradient)))
    unchanged = "non-finite";
  else if (!tensor.isSelected("element", index)) unchanged = "unselected";
  const isUpdated = updated !== undefined && unchanged === undefined;
  const explanation = {
    rule: record.group.context.variant.label,
    parameter: record.name,
    index,
    step: t,
    gradient: tensor.arrays.get("g")![index],
    before,
    after: isUpdated ? values[updated.node] : before,
    unchanged,
    lines: withoutIdle(rule, values, { perStep, perElement }, record.group),
  };
  return { ...explanation, toString: () => describeExplanation(explanation) };
}

/** The lines of a rule: one per statement. */
interface RuleLines {
  readonly perStep: readonly ExplainedLine[];
  readonly perElement: readonly ExplainedLine[];
}

/**
 * The lines that compute something: not a Newton–Schulz iteration whose coefficients are 1, 0 and 0, which changes
 * nothing, nor the scalars that only such lines read.
 */
function withoutIdle(
  { drafts, statements }: ResolvedRule,
  values: Float64Array,
  { perStep, perElement }: RuleLines,
  { context }: Group,
): ExplainedLine[] {
  const isIdle = (_: ExplainedLine, i: number): boolean => {
    const { op, operands } = drafts[statements[i].node];
    const [, a, b, c] = operands.map((node) => values[node]);
    return op === "newtonSchulz" && a === 1 && b === 0 && c === 0;
  };
  const kept = perElement.filter((line, i) => !isIdle(line, i));
  if (kept.length === perElement.length) return [...perStep, ...perElement];
  const read = new Set([...perStep, ...kept].flatMap(({ reads }) => Object.keys(reads)));
  const persistent = context.variant.persistentScalars;
  const isRead = ({ name }: ExplainedLine): boolean =>
    read.has(name) || Object.hasOwn(persistent, name);
  return [...perStep.filter(isRead), ...kept];
}

/** The texts of a group's rule as statements. */
function resolvedRule({ context }: Group): ResolvedRule {
  const { spec, structural } = context;
  const texts = spec.rule.texts(withOn(spec.options, structural));
  const scopes = scopesOf(texts);
  const scope = scopes.perElement;
  const perElement = resolveStatements(texts.perElement, scope, resolveTensorOperation);
  const perStep = resolveStatements(texts.perStep, scopes.perStep(context.variant.scalars));
  const shown = shownNames(
    [...perStep.statements, ...perElement.statements],
    [...scope.arrays.keys(), ...texts.hyperparameters],
  );
  return { texts, scope, ...perElement, perStep, shown };
}

/** The lines of `perStep` for the next step of a group, and its scalars. */
interface StepValues {
  readonly t: number;
  readonly lines: readonly ExplainedLine[];
  readonly scalars: ReadonlyMap<string, number>;
}

/** The steps that an element of a parameter has taken. */
function stepsOf(
  { group, rowSteps, update: { parameter } }: ParameterRecord,
  index: number,
): number {
  if (rowSteps === undefined) return group.iterations;
  return rowSteps.counts[Math.floor((index * parameter.shape[0]) / parameter.size)];
}

function stepValues(group: Group, { texts, perStep, shown }: ResolvedRule, t: number): StepValues {
  const { drafts, statements } = perStep;
  const persistent = group.scalars.persistentScalars;
  const inputOf = (name: string): number =>
    name === "t" ? t : (persistent[name] ?? group.get(name));
  const values = new Float64Array(drafts.length);
  drafts.forEach(({ op, name }, i) => {
    if (op === "input") values[i] = inputOf(name);
  });
  interpret(bytecodeOf({ nodes: drafts, inputs: [], outputs: [] } as never), values);
  const scalars = new Map<string, number>();
  for (const name of texts.hyperparameters) scalars.set(name, group.get(name));
  for (const { name, node } of statements) scalars.set(name, values[node]);
  return { t, lines: linesOf(statements, values, "per step", { inputOf, shown }), scalars };
}
