import type { BatchRun, Guard, GuardCounts, Tensor, Update } from "@gradstep/core";
import type { UnmanagedTensors } from "./unmanaged-tensors.js";
import { delegateOf, type RelocatableKernel } from "./relocatable-kernel.js";

/** What decides which steps are skipped, on the device of TF.js's webgpu backend. */
export class RelocatableGuard implements Guard {
  readonly #guard: Guard;
  readonly #unmanaged: UnmanagedTensors;
  readonly #memory: { free(): void };
  /** The updates that were checked, on the backend of the guard. */
  readonly #delegates = new WeakMap<Update, Update>();
  readonly #checked: Update[] = [];
  /** The runs of the last call, reused. */
  readonly #runs: BatchRun[] = [];

  /** @param guard is owned by this one from now on. */
  constructor(guard: Guard, unmanaged: UnmanagedTensors) {
    this.#guard = guard;
    this.#unmanaged = unmanaged;
    this.#memory = { free: () => guard.dispose() };
    unmanaged.add(this.#memory);
  }

  get lossScale(): Tensor {
    return this.#guard.lossScale;
  }

  replaceScalars(t: number): void {
    this.#guard.replaceScalars(t);
  }

  writeScalars(t: number, kind: number): void {
    this.#guard.writeScalars(t, kind);
  }

  startAt(t: number): void {
    this.#guard.startAt(t);
  }

  restrict(kind: number | undefined): void {
    this.#guard.restrict(kind);
  }

  check(updates: readonly Update[], count: number): void {
    for (let i = 0; i < count; i += 1) {
      const known = this.#delegates.get(updates[i]);
      const delegate = delegateOf(updates[i], known);
      if (delegate !== known) this.#delegates.set(updates[i], delegate);
      this.#checked[i] = delegate;
    }
    this.#guard.check(this.#checked, count);
  }

  run(runs: readonly BatchRun[]): void {
    const delegates = this.#runs;
    delegates.length = runs.length;
    for (let i = 0; i < runs.length; i += 1) {
      const { kernel, updates, count } = runs[i];
      delegates[i] = (kernel as RelocatableKernel).delegate(updates, count);
    }
    this.#guard.run(delegates);
  }

  advance(): void {
    this.#guard.advance();
  }

  read(): Promise<GuardCounts> {
    return this.#guard.read();
  }

  resume(stops: number): void {
    this.#guard.resume(stops);
  }

  write(counts: GuardCounts): void {
    this.#guard.write(counts);
  }

  dispose(): void {
    this.#unmanaged.free(this.#memory);
  }
}
