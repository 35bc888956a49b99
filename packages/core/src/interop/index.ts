export { counterpartsOf, type Counterpart } from "./counterparts.js";
export type { ImportedCheckpoint, ParameterValues } from "./imported-checkpoint.js";
export { checkCheckpointParts, type CheckpointParts } from "./checkpoint-parts.js";
export { initialState } from "./initial-state.js";
export { hasEffect } from "./option-effect.js";
export { fromKeras, kerasClassOf, type KerasOptimizer, type KerasOptions } from "./keras.js";
export { kerasSlot, type KerasSlot } from "./keras-slots.js";
export {
  kerasStageArgumentNames,
  withKerasStages,
  type KerasConstraint,
  type KerasStageArguments,
} from "./keras-stages.js";
export { fromTorch, type TorchOptions } from "./torch.js";
export type { TorchScheduler } from "./torch-schedulers.js";
export { torchSlots } from "./torch-slots.js";
export { torchStep } from "./torch-step.js";
export { toTorch, type ToTorchOptions, type TorchConfig } from "./to-torch.js";
export { fromOptax, optaxOptionNames, optaxParts } from "./optax.js";
export { toOptax, type OptaxConfig, type ToOptaxOptions } from "./to-optax.js";
export { fromTfjs } from "./tfjs.js";
export { toTfjs, type TfjsConfig } from "./to-tfjs.js";
