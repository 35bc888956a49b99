import type { Runner } from "@gradstep/conformance";
import type { Backend } from "@gradstep/core";
import { describe, expect, test } from "vitest";

/**
 * vitest as the runner of the conformance suite for a backend in host memory, where masks are arrays. What needs tensors
 * of flags does not apply to it: that it has no `maskOf` is tested instead.
 */
export function hostRunner(
  backend: () => Backend | Promise<Backend>,
): Runner & { readonly maskTensors: false } {
  const run = test.bind(undefined) as Runner["test"]["skip"];
  const skip: Runner["test"]["skip"] = (name) =>
    test(`does not apply: ${name}`, async () => {
      expect(name).toContain("maskOf");
      expect(await backend()).not.toHaveProperty("maskOf");
    });
  return { describe, test: Object.assign(run, { skip }), maskTensors: false };
}
