export { didYouMean } from "./argument-checks/did-you-mean.js";
export { hasNames } from "./argument-checks/has-names.js";
export {
  GradstepError,
  list,
  show,
  type ErrorCode,
  type Misfit,
  type MisfitKind,
  type TextPosition,
} from "./errors.js";
export { createOptimizer } from "./optimizer/create-optimizer.js";
export type { ExplainedLine, Explanation } from "./optimizer/explain/explanation.js";
export type { Gradients } from "./optimizer/step/gradients.js";
export type { SparseOptions } from "./rule/sparse-options.js";
export type { SparseGradient } from "./optimizer/sparse/sparse-gradient.js";
export type {
  RestoreOptions,
  GroupConfig,
  Metrics,
  Optimizer,
  OptimizerConfig,
  OptimizerMethods,
  OptimizerOptions,
  RuleConfig,
  StateOptions,
} from "./optimizer/optimizer.js";
export type { ResetOptions } from "./optimizer/reset/reset-options.js";
export type { RemapOptions, Rows } from "./optimizer/rows/rows.js";
export type { GroupOptions, Match, MatchedParameter } from "./rule/rule.js";
export type { ParameterGroup } from "./optimizer/groups/parameter-group.js";
export type { StepOptions, StepRate } from "./optimizer/step/step-options.js";
export type { Parameters } from "./optimizer/parameters/parameter-checks.js";
export type { ParameterOptions } from "./optimizer/parameters/parameter-options.js";
export type { CopyOption, CopyOptions } from "./optimizer/parameters/copy-options.js";
export {
  stepControlNames,
  type DynamicLossScale,
  type NonFinite,
  type StepControlOptions,
} from "./rule/step-control-options.js";
export type { StepControlState } from "./optimizer/state/optimizer-state.js";
export { variantOf, type OptimizerSpec, type Rule } from "./rule/rule.js";
export type { GroupState, OptimizerState } from "./optimizer/state/optimizer-state.js";

export * from "./rules/factories.js";
export * from "./stages/factories.js";

export * from "./schedules/factories.js";
export type { Schedule, ScheduleData, ScheduleOption } from "./schedules/schedule.js";
export type { HyperparameterValue } from "./rule/hyperparameter-value.js";

export {
  earlyStopping,
  type EarlyStopping,
  type EarlyStoppingOptions,
  type EarlyStoppingState,
} from "./monitors/early-stopping.js";
export type { MonitorMode } from "./monitors/improvement.js";
export {
  reduceOnPlateau,
  type OptimizerWithRate,
  type PlateauState,
  type ReduceOnPlateau,
  type ReduceOnPlateauOptions,
} from "./monitors/reduce-on-plateau.js";

// To define rules.
export { defineRule } from "./rule/define-rule.js";
export type {
  CommonHyperparameter,
  CommonOptions,
  RuleChanges,
  RuleDefinition,
  RuleFactory,
} from "./rule/rule-factory.js";
export { chain, type ChainPart } from "./rule/chain.js";
export { muonWithAdamw, type MuonWithAdamwSettings } from "./rules/muon-with-adamw.js";
export { defineStage } from "./rule/define-stage.js";
export type {
  Stage,
  StageDefinition,
  StageFactory,
  StageReads,
  StageSpec,
} from "./rule/stage-factory.js";
export type { Settings } from "./rule/assemble-rule.js";
export { parseRuleText } from "./language/parse-rule-text.js";
export type { Choices, OptionTable, OptionValues } from "./rule/options.js";
export { decayRate, fraction, nonNegative, type Hyperparameter } from "./rule/hyperparameter.js";

// To implement backends.
export type {
  Backend,
  EncodeTargetOf,
  BatchRun,
  Kernel,
  ParameterCopy,
  UnselectedRows,
  RowList,
  RowMove,
  RowScalars,
  RowSources,
  RowValues,
  StagingTensor,
  StepSignals,
  Tensor,
  Update,
} from "./backend/backend.js";
export type { Layout, MemoryRange, Values } from "./backend/memory.js";
export type { WrapOptions, WrappingBackend } from "./backend/wrapping-backend.js";
export type { Guard, GuardCounts, GuardOptions, StopCause } from "./backend/guard.js";
export { guardSteps, type GuardSteps } from "./optimizer/guarded/guarded-steps.js";
export { isGuarding, type GuardingBackend } from "./optimizer/guarded/guarding-backend.js";
export { newRow } from "./backend/backend.js";
export { copyTensor } from "./backend/copy-tensor.js";
export { HostBackend } from "./backend/host-backend.js";
export { HostTensor } from "./backend/host-tensor.js";
export { remapRows } from "./backend/host-row-remap.js";
export type { Reallocation } from "./backend/reallocation.js";
export { bytesPerValue } from "./backend/layout.js";
export {
  identity,
  smallestNorm,
  type Activation,
  type ActivationKind,
  type CheckedActivation,
} from "./activations/activation.js";
export { arraysOf } from "./backend/update-arrays.js";
export type { Dimensions } from "./language/dimensions.js";
export { wrapArray } from "./backend/wrap-array.js";
export type { HostArray } from "./backend/host-array.js";
export type { LaidOutTensor } from "./backend/laid-out-tensor.js";
export { Packing } from "./packing/packing.js";
export { sizeOf } from "./backend/shape.js";
export { bytecodeOf, type Bytecode } from "./language/bytecode.js";
export { emit, type Emitter } from "./language/emit.js";
export {
  flushedSlotsOf,
  knownScalarsOf,
  specialize,
  type FlushedSlot,
  type KnownScalars,
} from "./language/specialize.js";
export {
  smallestNormal,
  type Assignment,
  type BinaryOp,
  type CompareOp,
  type ElementOp,
  type Expression,
  type HostOp,
  type Op,
  type Position,
  type TensorExpression,
  type UnaryOp,
} from "./language/expression.js";
export type { Extent } from "./language/extent.js";
export type { Precision } from "./language/precision.js";
export { unshared } from "./language/reduction-key.js";
export type {
  Count,
  MapPass,
  MatrixPass,
  Pass,
  PassPlan,
  Reduction,
  Temporary,
} from "./language/passes.js";
export { type Source } from "./language/build-program.js";
export { withOutputs, type Binding, type Node, type Program } from "./language/program.js";
export { emptyValue, summationBlock, summationLanes, type ReduceOp } from "./language/summation.js";
export { gradientArithmetic } from "./optimizer/step-control/gradient-arithmetic.js";
export { finiteness } from "./optimizer/step-control/finiteness.js";
export { buildVariant } from "./rule/build-variant.js";
export {
  checkVariant,
  type Matrices,
  type Slot,
  type SlotDefinition,
  type SlotExtent,
  type UpdatedArray,
  type Variant,
  type VariantPart,
  type VariantTexts,
} from "./rule/variant.js";
