import type { Runner } from "@gradstep/conformance";
import { isFull, seed } from "../../../testing/cases.js";

type Body = (...context: readonly unknown[]) => Promise<void>;

/** The functions of vitest that a sample registers its checks with. */
interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly test: (name: string, body: Body) => unknown;
}

/**
 * A runner for the conformance suite. `npm test` runs an eighth of the checks on Dawn: a sixteenth in Node (0),
 * another one in Chromium (1). The sixteenths change with the seed. `pnpm test:full` runs all checks in both.
 *
 * @param part which sixteenth to run
 * @param wrap wraps a Float32Array in a backend: WebGPU must refuse that, whatever the check
 */
export function conformanceSample(
  runner: TestRunner,
  part: 0 | 1,
  wrap: () => Promise<unknown>,
): Runner {
  let index = 0;
  let group: { readonly name: string; readonly body: Body }[] = [];
  const register = (name: string, body: Body): void => {
    index += 1;
    if (isFull || (index + seed) % 16 === part) group.push({ name, body });
  };
  const skip = (name: string): void => {
    group.push({
      name: `does not apply, and is refused: ${name}`,
      body: () => expectRefusal(wrap),
    });
  };
  const describe = (name: string, body: () => void): void => {
    group = [];
    body();
    const checks = group;
    // vitest refuses a group without tests.
    if (checks.length === 0) return;
    runner.describe(name, () => {
      for (const check of checks) runner.test(check.name, (context) => check.body(context));
    });
  };
  return { describe, test: Object.assign(register, { skip }) };
}
async function expectRefusal(wrap: () => Promise<unknown>): Promise<void> {
  const message = await wrap().then(() => "nothing", String);
  if (!message.includes("expected a GPUBuffer"))
    throw new Error(`Wrapping a Float32Array threw ${message}; expected a GradstepError.`);
}
