import type { GradstepError } from "@gradstep/core";
import type { ErrorTracker } from "../../device/error-tracker.js";
import { ScratchBuffer } from "./scratch-buffer.js";
import { BindGroups } from "../../commands/bind-groups.js";
import { DispatchTables } from "../dispatch/dispatch-tables.js";
import { ScalarRing } from "../scalars/scalar-ring.js";
import type { ScratchLayout } from "../run/scratch-layout.js";

/** What all steps on the same parameters share on the device, whatever memory their gradients are in. */
export class StepMemory {
  /** Names the work in messages of the device. */
  readonly label: string;
  readonly ring: ScalarRing;
  /** For steps with signals on the device. */
  readonly signalRing: ScalarRing;
  readonly tables: DispatchTables;
  readonly bindGroups: BindGroups;
  readonly #device: GPUDevice;
  readonly #errors: ErrorTracker;
  readonly #scratches = new Map<string, ScratchBuffer>();

  constructor(device: GPUDevice, errors: ErrorTracker, label: string) {
    this.label = label;
    this.#device = device;
    this.#errors = errors;
    this.ring = new ScalarRing(device, label, "UNIFORM");
    this.signalRing = new ScalarRing(device, `${label}, signals`, "STORAGE");
    this.tables = new DispatchTables(device, label);
    this.bindGroups = new BindGroups(device, label);
  }

  /** Why the device has no memory for what steps reduce. */
  get failure(): GradstepError | undefined {
    for (const { failure } of this.#scratches.values()) if (failure !== undefined) return failure;
    return undefined;
  }

  /** The buffer for what a step reduces; undefined if it reduces nothing. Steps with equal layouts share one. */
  scratchFor(layout: ScratchLayout): GPUBuffer | undefined {
    if (layout.length === 0) return undefined;
    const key = `${layout.length} ${layout.contents?.join(" ") ?? ""}`;
    const scratch =
      this.#scratches.get(key) ?? new ScratchBuffer(this.#device, this.#errors, this.label, layout);
    this.#scratches.set(key, scratch);
    return scratch.buffer;
  }

  /** Destroys the buffers. The device refuses recorded steps that were not submitted. */
  destroy(): void {
    this.ring.destroy();
    this.signalRing.destroy();
    for (const scratch of this.#scratches.values()) scratch.destroy();
  }
}
