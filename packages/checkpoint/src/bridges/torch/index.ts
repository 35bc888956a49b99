export { readTorch, type ReadTorchOptions, type TorchCheckpoint } from "./read-torch.js";
export { writeTorch, type TorchSource, type WriteTorchOptions } from "./write-torch.js";
export type { OtherTensor } from "./other-tensors.js";
