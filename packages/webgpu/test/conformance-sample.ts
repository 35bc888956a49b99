import type { Runner } from "@gradstep/conformance";
import { sampledRunner } from "../../../testing/sampled-runner.js";

type Body = (...context: readonly unknown[]) => Promise<void>;

/** The functions of vitest that a sample registers its checks with. */
interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: Body) => unknown;
}

/**
 * A runner for the conformance suite. `npm test` runs a sixteenth of the checks on Dawn: half of them in Node (0),
 * the others in Chromium (1). They change with the seed. `pnpm test:full` runs all checks in Node and a quarter in
 * Chromium, `pnpm test:exhaustive` all checks in both.
 *
 * @param part which half to run
 * @param wrap wraps a Float32Array in a backend: WebGPU must refuse that, whatever the check
 */
export function conformanceSample(
  { describe, test }: TestRunner,
  part: 0 | 1,
  wrap: () => Promise<unknown>,
): Runner {
  const register = (name: string, body: Body): unknown => test(name, (context) => body(context));
  const skip = (name: string): unknown =>
    test(`does not apply, and is refused: ${name}`, () => expectRefusal(wrap));
  const full = part === 0 ? 1 : 4;
  return sampledRunner({ describe, test: Object.assign(register, { skip }) }, part, {
    quick: 32,
    full,
  });
}

async function expectRefusal(wrap: () => Promise<unknown>): Promise<void> {
  const message = await wrap().then(() => "nothing", String);
  if (!message.includes("expected a GPUBuffer"))
    throw new Error(`Wrapping a Float32Array threw ${message}; expected a GradstepError.`);
}
