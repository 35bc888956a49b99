import {
  adafactor,
  adam,
  chain,
  clipByGlobalNorm,
  lamb,
  sgd,
  type Activation,
  type OptimizerSpec,
} from "@gradstep/core";
import type { Random } from "./random.js";
import { Structs, type Dtype, type Field } from "./structs.js";

/** What a gradient is stored as: a typed array, a plain tensor, or a field of this type. */
type GradientKind = "array" | "tensor" | Dtype;

/** A parameter of a case, and everything that belongs to it. */
export interface CaseParameter {
  readonly name: string;
  readonly shape: readonly number[];
  readonly columns: number;
  /** Undefined for a plain tensor. */
  readonly field: Field | undefined;
  /** The slots that are in the structs. */
  readonly slots: ReadonlyMap<string, Field>;
  readonly gradientKind: GradientKind;
  readonly gradientField: Field | undefined;
  /** That of integers. */
  readonly scale: number | undefined;
  readonly activation: Activation;
  readonly copies: readonly { readonly field: Field; readonly as: Activation }[];
}

/** Random parameters whose tensors are fields of three arrays of structs in one buffer. */
export interface LayoutCase {
  readonly spec: OptimizerSpec;
  readonly rows: number;
  readonly parameters: readonly CaseParameter[];
  /** Parameters and slots. */
  readonly state: Structs;
  readonly gradients: Structs;
  readonly copies: Structs;
  /** Filled with random bytes. */
  readonly buffer: ArrayBuffer;
}

const activations: readonly Activation[] = [
  "identity",
  "exp",
  "sigmoid",
  "softplus",
  "normalize",
  { kind: "affine", scale: -1.5, offset: 0.25 },
];

/** Rules in turn, and their slots of elements, which may be in the caller's memory. */
const rules: readonly (readonly [OptimizerSpec, readonly string[]])[] = [
  [adam({ learningRate: 0.01 }), ["m", "v"]],
  [sgd({ learningRate: 0.1 }), []],
  [lamb({ learningRate: 0.01 }), ["m", "v"]],
  [adafactor(), []],
  [chain(clipByGlobalNorm({ globalClipNorm: 1 }), adam({ learningRate: 0.01 })), ["m", "v"]],
];

/** The case with this number. */
export function layoutCase(number: number, random: Random, precision: "f32" | "f64"): LayoutCase {
  const [spec, slotNames] = rules[number % rules.length];
  const rows = random.chance(10) ? 1 + random.below(3000) : 1 + random.below(40);
  const state = new Structs(random);
  const gradients = new Structs(random);
  const copies = new Structs(random);
  const parameters = Array.from({ length: 1 + random.below(3) }, (_, i): CaseParameter => {
    const columns = random.of([1, 1, 2, 3, 4, 6]);
    const gradientKinds = ["array", "tensor", precision, precision, "f16", "i32", "u32"] as const;
    const inStructs = (percent: number): Field | undefined =>
      random.chance(percent) ? state.add(precision, columns) : undefined;
    const shape = shapeOf(rows, columns, random);
    const gradientKind = random.of<GradientKind>(gradientKinds);
    const isInteger = gradientKind === "i32" || gradientKind === "u32";
    const isField = gradientKind !== "array" && gradientKind !== "tensor";
    return {
      name: `p${i}`,
      shape,
      columns,
      field: inStructs(75),
      slots: new Map(
        slotNames.flatMap((name) => {
          const field = inStructs(50);
          return field === undefined ? [] : [[name, field] as const];
        }),
      ),
      gradientKind,
      gradientField: isField ? gradients.add(gradientKind, columns) : undefined,
      scale: isInteger ? random.of([1e-6, 0.25, 2 ** -20]) : undefined,
      activation: random.chance(50) ? "identity" : random.of(activations),
      copies: Array.from({ length: random.below(3) }, () => ({
        field: copies.add(random.chance(50) ? "f16" : precision, columns),
        as: random.of(activations),
      })),
    };
  });
  let end = 0;
  for (const structs of [state, gradients, copies]) end = structs.place(end, rows);
  const buffer = new ArrayBuffer(end);
  new Uint8Array(buffer).forEach((_, i, bytes) => {
    bytes[i] = random.below(256);
  });
  return { spec, rows, parameters, state, gradients, copies, buffer };
}

function shapeOf(rows: number, columns: number, random: Random): readonly number[] {
  if (columns === 1) return [rows];
  return columns === 6 && random.chance(50) ? [rows, 2, 3] : [rows, columns];
}
