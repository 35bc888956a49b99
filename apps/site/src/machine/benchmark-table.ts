/** How many times as fast one contender is as another. */
export interface Comparison {
  /** Of the medians: above 1, it is faster. */
  readonly speedup: number;
  /** Of the single rounds. */
  readonly quartiles: readonly [lower: number, upper: number];
}

/** One contender. */
export interface BenchmarkRow {
  readonly name: string;
  readonly description: string;
  /** Whether gradstep computes it. */
  readonly isOwn: boolean;
  /** Nanoseconds per step: the median of the rounds. */
  readonly stepNs: number;
  /** With the rivals, by name. */
  readonly comparisons: Readonly<Record<string, Comparison>>;
}

/** All contenders on one workload. */
export interface BenchmarkTable {
  readonly workload: string;
  readonly processor: "CPU" | "GPU";
  readonly parameters: number;
  readonly tensors: number;
  readonly rounds: number;
  /** Names of the contenders with which all are compared. */
  readonly rivals: readonly string[];
  readonly rows: readonly BenchmarkRow[];
  /** Contenders that could not start, or whose result was wrong. */
  readonly failures: readonly { readonly name: string; readonly reason: string }[];
}

/** What the worker says while it measures. */
export type BenchmarkEvent =
  | { readonly type: "progress"; readonly text: string; readonly fraction: number }
  | { readonly type: "tables"; readonly tables: readonly BenchmarkTable[] };
