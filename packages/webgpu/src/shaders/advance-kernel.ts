import { controlWords, stopCauses } from "./control-block.js";

/** The arrays that are bound after the table, in order. */
export const advanceArrays = [
  { name: "control", access: "read_write" },
  { name: "non_finite", access: "read_write" },
] as const;

const words = Object.fromEntries(
  Object.entries(controlWords).map(([name, word]) => [name, `control[${word}]`]),
) as Record<keyof typeof controlWords, string>;

const stop = (cause: (typeof stopCauses)[number]): string =>
  `${words.stops} += 1u; ${words.stopCause} = ${stopCauses.indexOf(cause)}u; ${words.missedSteps} += 1u;`;

/** A WGSL module that counts a step as taken or skipped, and adapts the loss scale; or stops. */
export const advanceKernel: string = `// Counts a step, and adapts the loss scale. Table: growth interval, growth factor, back-off factor, the
// largest scale that can grow, accumulated calls, whether gradients that are not finite stop the steps.
@group(0) @binding(0) var<storage, read> table: array<u32>;
@group(0) @binding(1) var<storage, read_write> control: array<u32>;
@group(0) @binding(2) var<storage, read_write> non_finite: array<u32>;

@compute @workgroup_size(1)
fn update() {
  var scale = bitcast<f32>(${words.lossScale});
  if (${words.stops} != ${words.resumedStops}) {
    ${words.missedSteps} += 1u;
  } else if (non_finite[0] != 0u && table[5] != 0u) {
    ${stop("nonFinite")}
  } else if (non_finite[0] != 0u) {
    ${words.skippedSteps} += 1u;
    ${words.consecutiveSkips} += 1u;
    ${words.goodSteps} = 0u;
    scale *= bitcast<f32>(table[2]);
  } else if (${words.lacksScalars} != 0u) {
    ${stop("scalars")}
  } else {
    ${words.steps} += 1u;
    ${words.consecutiveSkips} = 0u;
    ${words.goodSteps} += 1u;
    if (${words.goodSteps} == table[0]) {
      ${words.goodSteps} = 0u;
      if (scale <= bitcast<f32>(table[3])) { scale *= bitcast<f32>(table[1]); }
    }
  }
  ${words.lossScale} = bitcast<u32>(scale);
  ${words.divisor} = bitcast<u32>(scale * bitcast<f32>(table[4]));
  ${words.lacksScalars} = 0u;
  non_finite[0] = 0u;
}
`;
