export { GradstepError, show, type ErrorCode } from "./errors.js";
export { createOptimizer } from "./create-optimizer.js";
export type { Gradients } from "./gradients.js";
export type {
  Optimizer,
  OptimizerConfig,
  OptimizerMethods,
  OptimizerOptions,
  StepOptions,
} from "./optimizer.js";
export type { RemapOptions, Rows } from "./rows.js";
export type { GroupOptions, Match, ParameterGroup } from "./groups.js";
export type { Parameters } from "./parameters.js";
export { variantOf, type OptimizerSpec } from "./spec.js";
export type { GroupState, OptimizerState } from "./state.js";

export { sgd } from "./rules/sgd.js";
export { adagrad } from "./rules/adagrad.js";
export { rmsprop } from "./rules/rmsprop.js";
export { adam } from "./rules/adam.js";
export { adamw } from "./rules/adamw.js";
export { adamax } from "./rules/adamax.js";
export { nadam } from "./rules/nadam.js";
export { lion } from "./rules/lion.js";

// For those who write a rule.
export { defineRule } from "./rule.js";
export type { CommonHyperparameter, CommonOptions, RuleDefinition, RuleFactory } from "./rule.js";
export type { Rule, Settings } from "./assembled-rule.js";
export type { Choices, OptionTable, OptionValues } from "./options.js";
export { averaging, fraction, nonNegative, type Hyperparameter } from "./hyperparameter.js";

// For those who write a backend.
export type {
  Backend,
  Kernel,
  Layout,
  MemoryRange,
  OtherRows,
  RowMove,
  RowSources,
  RowValues,
  StagingTensor,
  Tensor,
  Update,
  Values,
  WrapOptions,
  WrappingBackend,
} from "./backend.js";
export { newRow } from "./backend.js";
export { allocateArray, checkValues, HostTensor } from "./host-tensor.js";
export { growth, remapRows, tooManyRows, type Room } from "./host-rows.js";
export { endOfRun } from "./row-runs.js";
export { wrapArray } from "./wrap-array.js";
export { checkLength, sizeOf } from "./shape.js";
export { emit, type Emitter } from "./emit.js";
export { restingOf, settledOf, simplify, type Resting, type Settled } from "./settled.js";
export {
  smallestNormal,
  type BinaryOp,
  type CompareOp,
  type ElementOp,
  type Op,
  type UnaryOp,
} from "./expression.js";
export type { Binding, Node, Program } from "./program.js";
export { buildVariant, type Slot, type Variant, type VariantTexts } from "./variant.js";
