import { activationMutants } from "./backends/activation-mutants.js";
import { arithmeticMutants } from "./backends/arithmetic-mutants.js";
import { activationGradientMutants } from "./backends/activation-gradient-mutants.js";
import { copyLayoutMutants } from "./backends/copy-layout-mutants.js";
import { dataMutants } from "./backends/data-mutants.js";
import { gradientLayoutMutants } from "./backends/gradient-layout-mutants.js";
import { layoutMutants } from "./backends/layout-mutants.js";
import { passMutants } from "./backends/pass-mutants.js";
import { repeatMutants } from "./backends/repeat-mutants.js";
import { rowMutants } from "./backends/row-mutants.js";
import { stridedSlotMutants } from "./backends/strided-slot-mutants.js";
import { summationMutants } from "./backends/summation-mutants.js";
import { tensorMutants } from "./backends/tensor-mutants.js";
import type { Mutant } from "./mutant.js";
import { changingStepMutants } from "./optimizers/changing-step-mutants.js";
import { chainMutants } from "./optimizers/chain-mutants.js";
import { fingerprintMutants } from "./optimizers/fingerprint-mutants.js";
import { groupMutants } from "./optimizers/group-mutants.js";
import { layoutOptionMutants } from "./optimizers/layout-option-mutants.js";
import { lossScaleMutants } from "./optimizers/loss-scale-mutants.js";
import { optimizerMutants } from "./optimizers/optimizer-mutants.js";
import { repeatedCallMutants } from "./optimizers/repeated-call-mutants.js";
import { rowCountMutants } from "./optimizers/row-count-mutants.js";
import { scheduleMutants } from "./optimizers/schedule-mutants.js";
import { skippedStepMutants } from "./optimizers/skipped-step-mutants.js";
import { stateMutants } from "./optimizers/state-mutants.js";
import { stepSignalMutants } from "./optimizers/step-signal-mutants.js";
import { sparseMutants } from "./optimizers/sparse-mutants.js";
import { adamMutants } from "./rules/adam-mutants.js";
import { adaptiveRuleMutants } from "./rules/adaptive-rule-mutants.js";
import { otherRuleMutants } from "./rules/other-rule-mutants.js";
import { reducingRuleMutants } from "./rules/reducing-rule-mutants.js";
import { scheduleFreeMutants } from "./rules/schedule-free-mutants.js";

/** All mutants. None is equivalent to the original. */
export const mutants: readonly Mutant[] = [
  ...adamMutants,
  ...otherRuleMutants,
  ...adaptiveRuleMutants,
  ...reducingRuleMutants,
  ...scheduleFreeMutants,
  ...arithmeticMutants,
  ...dataMutants,
  ...tensorMutants,
  ...optimizerMutants,
  ...groupMutants,
  ...repeatedCallMutants,
  ...stateMutants,
  ...rowCountMutants,
  ...fingerprintMutants,
  ...chainMutants,
  ...scheduleMutants,
  ...lossScaleMutants,
  ...skippedStepMutants,
  ...changingStepMutants,
  ...stepSignalMutants,
  ...sparseMutants,
  ...rowMutants,
  ...repeatMutants,
  ...passMutants,
  ...summationMutants,
  ...layoutMutants,
  ...stridedSlotMutants,
  ...gradientLayoutMutants,
  ...copyLayoutMutants,
  ...activationMutants,
  ...activationGradientMutants,
  ...layoutOptionMutants,
];
