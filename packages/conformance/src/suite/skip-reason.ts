import { adam, variantOf, type Backend } from "@gradstep/core";
import { canSkip } from "./can-skip.js";
import type { Capability, Check, Context, Target } from "./check.js";

const reasons: Readonly<Record<Capability, string>> = {
  wrapsArrays: "the backend is declared with wrapsArrays: false",
  rows: "the backend has no remap(), so it does not move rows or apply masks",
  reductions: "the backend is declared with reductions: false",
  matrixProducts: "the backend is declared with matrixProducts: false",
  copies: "the backend has no copy(), so no slot starts as a copy of its parameter",
  layouts:
    "the backend does not declare takesLayouts, so tensors have no strides, activations or types but f32",
  rowSteps: "the backend's kernels do not take lists of rows",
  skippedSteps:
    "JavaScript does not see the gradients of the backend, which has no guard, so that no step is skipped",
  maskTensors: "the backend has no maskOf(), so no mask is made of a tensor of flags",
  commonReductions:
    "the backend has no runTogether(), so the rules of a step have no reductions in common",
};

/** Whether a backend has a capability, for those that it shows. */
const shown: Partial<Record<Capability, (backend: Backend) => boolean>> = {
  rows: (backend) => backend.remap !== undefined,
  copies: (backend) => backend.copy !== undefined,
  layouts: (backend) => backend.takesLayouts === true,
  commonReductions: (backend) => backend.runTogether !== undefined,
  skippedSteps: canSkip,
  maskTensors: (backend) => backend.maskOf !== undefined,
  rowSteps: (backend) => backend.compile(variantOf(adam())).takesRowLists === true,
};

/** Why a check cannot run, as far as the options say; undefined if it can, or if only the backend itself tells. */
export function declaredSkip({ needs = [] }: Check, target: Target): string | undefined {
  const missing = needs.find((one) => declared(target, one) === false);
  return missing && reasons[missing];
}

/** Why a check cannot run; undefined if it can. */
export async function skipReason(check: Check, { target }: Context): Promise<string | undefined> {
  const reason = declaredSkip(check, target);
  if (reason !== undefined) return reason;
  const open = (check.needs ?? []).filter(
    (one) => shown[one] !== undefined && declared(target, one) === undefined,
  );
  if (open.length === 0) return undefined;
  const backend = await target.backend();
  const missing = open.find((one) => !shown[one]!(backend));
  return missing && reasons[missing];
}

/** What the options say about a capability; undefined if they leave it open. */
function declared(target: Target, capability: Capability): boolean | undefined {
  const { [capability]: value }: { readonly [K in Capability]?: boolean | undefined } = target;
  return value;
}
