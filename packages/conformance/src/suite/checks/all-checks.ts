import { adam, nadam, sgd, type OptimizerSpec, type Rule } from "@gradstep/core";
import { rules as builtInRules } from "@gradstep/core/rules";
import type { Check } from "../check.js";
import { accumulatedRowChecks } from "./accumulated-rows.js";
import { allocationChecks } from "./allocations.js";
import { boundChecks } from "./bounds.js";
import { callOrderChecks } from "./call-order.js";
import { changingStepChecks } from "./changing-steps.js";
import { copiedSlotMoveChecks } from "./copied-slot-moves.js";
import { errorChecks } from "./errors.js";
import { evaluationChecks } from "./evaluation.js";
import { flushChecks } from "./flushing.js";
import { groupChecks } from "./groups.js";
import { lossScaleChecks } from "./loss-scale.js";
import { maskedMatrixChecks } from "./masked-matrices.js";
import { maximizeChecks } from "./maximize.js";
import { nonFiniteChecks } from "./non-finite.js";
import { optimizerModelChecks } from "./optimizer-model.js";
import { randomReductionChecks } from "./random-reductions.js";
import { manyRowChecks } from "./many-rows.js";
import { maskMemoryChecks } from "./masks-in-memory.js";
import { refusedRepetitionChecks } from "./refused-repetitions.js";
import { repeatedCallChecks } from "./repeated-calls.js";
import { repeatedStepChecks } from "./repeated-steps.js";
import { resetChecks } from "./reset.js";
import { interruptedStepChecks } from "./interrupted-steps.js";
import { ownRuleStateChecks } from "./own-rule-states.js";
import { reusedStateChecks } from "./reused-states.js";
import { restoredGroupChecks } from "./restored-groups.js";
import { resumeChecks, stageResumeChecks } from "./resume.js";
import { rowCountChecks } from "./row-counts.js";
import { rowStepMoveChecks } from "./row-step-moves.js";
import { rowChecks } from "./rows.js";
import { runTimeRuleChecks } from "./run-time-rules.js";
import { scheduleChecks } from "./schedules.js";
import { skipFlagChecks } from "./skip-flags.js";
import { sparseGradientMoveChecks } from "./sparse-gradient-moves.js";
import { sparseGradientChecks } from "./sparse-gradients.js";
import { sharedMaskChecks } from "./shared-masks.js";
import { skippedStepChecks } from "./skipped-steps.js";
import { stepControlChecks } from "./step-control.js";
import { stepSignalChecks } from "./step-signals.js";
import { layoutChecks } from "./layouts.js";
import { lengthChecks } from "./tensor-lengths.js";
import { unselectedRowChecks } from "./unselected-rows.js";
import { tensorChecks } from "./tensors.js";

/** Every check, the fast ones first. Those of rules run on the given rules, the others on the backend itself. */
export function checksFor(rules: readonly Rule[]): readonly Check[] {
  const isBuiltIn = rules === builtInRules;
  const own = rules.map((rule) => rule.specify({}));
  const groupSpecs: readonly OptimizerSpec[] = [
    adam({ learningRate: 0.01 }),
    sgd({ learningRate: 0.1, momentum: 0.9 }),
    nadam({ learningRate: 0.01, weightDecay: 0.1 }),
  ];
  const lengthSpecs = [adam({ learningRate: 0.01, amsgrad: true, weightDecay: 0.1 })];
  return [
    ...tensorChecks,
    ...callOrderChecks,
    ...errorChecks,
    ...allocationChecks,
    ...optimizerModelChecks,
    ...sharedMaskChecks,
    ...groupChecks(isBuiltIn ? groupSpecs : own),
    ...stepControlChecks,
    ...lossScaleChecks,
    ...stepSignalChecks,
    ...skipFlagChecks,
    ...skippedStepChecks(rules),
    ...changingStepChecks,
    ...accumulatedRowChecks,
    ...scheduleChecks,
    ...resetChecks,
    ...evaluationChecks,
    ...interruptedStepChecks,
    ...ownRuleStateChecks,
    ...restoredGroupChecks,
    ...reusedStateChecks,
    ...rowCountChecks,
    ...resumeChecks(rules),
    ...(isBuiltIn ? stageResumeChecks : []),
    ...maximizeChecks(rules),
    ...flushChecks(rules),
    ...nonFiniteChecks(rules),
    ...repeatedStepChecks(rules),
    ...repeatedCallChecks,
    ...refusedRepetitionChecks(rules),
    ...rowChecks(rules),
    ...manyRowChecks,
    ...copiedSlotMoveChecks,
    ...maskedMatrixChecks,
    ...unselectedRowChecks,
    ...maskMemoryChecks,
    ...sparseGradientChecks(rules),
    ...rowStepMoveChecks,
    ...sparseGradientMoveChecks,
    ...layoutChecks(rules),
    ...boundChecks(rules),
    ...runTimeRuleChecks,
    ...randomReductionChecks,
    ...lengthChecks(isBuiltIn ? lengthSpecs : own),
  ];
}
