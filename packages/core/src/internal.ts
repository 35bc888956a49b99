/**
 * What gradstep's packages share, and backends call per element, per row or per step. Nothing here checks its arguments or
 * is documented for users; like the rest, it changes with a major version only, since packages are updated one by one.
 */
export { activate, applyChainRule, normOf } from "./activations/activate.js";
export { dimensionsOf, hasRowsOf, slotShape } from "./backend/dimensions.js";
export { hasFixedMemory } from "./backend/fixed-memory.js";
export { decodeFloat16, encodeFloat16 } from "./backend/float16.js";
export { checkValues } from "./backend/host-tensor.js";
export { checkScale } from "./backend/layout.js";
export { plainUpdate } from "./backend/plain-update.js";
export { readInto } from "./backend/read-into.js";
export { grownCapacity, tooManyRows } from "./backend/reallocation.js";
export { endOfRun } from "./backend/row-runs.js";
export { checkLength, isSameShape } from "./backend/shape.js";
export { wrappedExtent, type WrappedExtent } from "./backend/wrapped-extent.js";
export { wrappedTensor } from "./backend/wrapped-tensor.js";
export { notLive, withoutValues } from "./backend/tensor-errors.js";
export { checkOptions } from "./argument-checks/check-options.js";
export { checkSwitch } from "./argument-checks/check-switch.js";
export { isArray } from "./argument-checks/is-array.js";
export { isInstance } from "./argument-checks/is-instance.js";
export { countOf, reducedIndex } from "./language/dimensions.js";
export { interpret } from "./language/interpret.js";
export { newtonSchulz } from "./language/newton-schulz.js";
export { join, joinPairwise, reduce } from "./language/summation.js";
export { stateMismatch } from "./optimizer/state/misfit.js";
export { propertyOf } from "./argument-checks/property-of.js";
export { checkRule, isSpec } from "./rule/rule.js";
export { isVariant } from "./rule/variant.js";
export { isElementwise } from "./rule/elementwise.js";
