import { purposeOf, type KernelProgram } from "./kernel-program.js";
import {
  entryPoint,
  indented,
  tableAndScalars,
  tableComment,
  typeDeclarations,
} from "./wgsl-fragments.js";

/** What differs between the modules of a rule's kernels. */
interface RuleModule {
  readonly kernel: KernelProgram;
  /** How it does what the kernel is for, after a comma. */
  readonly how: string;
  /** The type of a value. */
  readonly value: "f32" | "vec4f";
  /** Parameters in the table, which become variables of the entry point. */
  readonly parameters: readonly string[];
  /** How a comment describes the parameters. Their names if left out. */
  readonly parametersText?: string;
  /** Declares the arrays. */
  readonly bindings: readonly string[];
  /** Declares functions and variables of the module. */
  readonly declarations: readonly string[];
  /** The statements of the entry point, after the parameters. */
  readonly body: readonly string[];
}

/** A WGSL module for a kernel of a rule. */
export function ruleModule({
  kernel,
  how,
  value,
  parameters,
  parametersText = parameters.join(", "),
  bindings,
  declarations,
  body,
}: RuleModule): string {
  return [
    `// ${kernel.label}: ${purposeOf(kernel)}, ${how}.`,
    ...typeDeclarations(kernel, value),
    ...tableComment(parametersText),
    ...tableAndScalars,
    ...bindings,
    "",
    ...declarations,
    ...entryPoint(parameters, true),
    ...indented(body),
    "}",
    "",
  ].join("\n");
}
