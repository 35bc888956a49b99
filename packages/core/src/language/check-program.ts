import { GradstepError, show } from "../errors.js";

/** What of a program is checked. */
interface Parts {
  readonly nodes: readonly {
    readonly op: unknown;
    readonly operands: readonly number[];
    readonly value: unknown;
  }[];
  readonly inputs: readonly Binding[];
  readonly outputs: readonly Binding[];
}

interface Binding {
  readonly name: unknown;
  readonly node: number;
}

/** Whether a value of any kind is a program: each node comes after its operands, and each input and output is a node. */
function isProgram(program: unknown): boolean {
  try {
    const { nodes, inputs, outputs } = program as Parts;
    const isBinding = ({ name, node }: Binding): boolean =>
      typeof name === "string" && node in nodes;
    return (
      nodes.every(
        ({ op, operands, value }, i) =>
          typeof op === "string" &&
          typeof value === "number" &&
          operands.every((one) => one >>> 0 === one && one < i),
      ) &&
      inputs.every(isBinding) &&
      outputs.every(isBinding)
    );
  } catch {
    return false;
  }
}

/**
 * Checks that a value is a program, where a backend compiles it.
 * @param what the function that got it, as the message begins
 * @throws {GradstepError} `INVALID_RULE`
 */
export function checkProgram(what: string, program: unknown): void {
  if (isProgram(program)) return;
  throw new GradstepError(
    `${what}: got ${show(program)}; expected a program, such as variantOf(adam()).perElement.`,
    { code: "INVALID_RULE" },
  );
}
