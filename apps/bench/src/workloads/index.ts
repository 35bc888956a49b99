import { accumulation } from "../contenders/accumulation.js";
import { chains } from "../contenders/chains.js";
import type { Contender } from "../contenders/contender.js";
import { languageModelContenders } from "../contenders/language-model.js";
import { muonContenders } from "../contenders/muon.js";
import { lazyContenders, sparseContenders } from "../contenders/sparse.js";
import { languageModel } from "./language-model.js";
import { imageClassifier } from "./model.js";
import type { Workload } from "./workload.js";

/** A workload, and what is measured on it. */
export interface Benchmark extends Workload {
  /** What steps its tensors on the CPU, if not the contenders for Adam. */
  readonly contenders?: readonly Contender[];
}

/** All workloads, in the order in which they are measured. */
export const workloads: readonly Benchmark[] = [
  // One value each, so that the time is the overhead per tensor.
  { name: "scalars", shapes: Array.from({ length: 180 }, () => [1]) },
  { name: "adam-1e3", shapes: [[1e3]] },
  { name: "adam-1e5", shapes: [[1e5]] },
  { name: "adam-1e6", shapes: [[1e6]] },
  { name: "adam-1.6e7", shapes: [[1.6e7]], long: true },
  { name: "model", shapes: imageClassifier() },
  { name: "chains", shapes: imageClassifier(), contenders: chains },
  { name: "accumulation", shapes: imageClassifier(), contenders: accumulation },
  { name: "language-model", shapes: languageModel(), contenders: languageModelContenders },
  { name: "sparse", shapes: [[100_000, 64]], contenders: sparseContenders },
  { name: "sparse-1e6", shapes: [[1e6, 64]], contenders: lazyContenders, long: true },
  { name: "muon", shapes: [[784, 128]], contenders: muonContenders },
  { name: "muon-1e6", shapes: [[1024, 1024]], contenders: muonContenders, long: true },
];
