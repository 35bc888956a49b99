/** The largest number of iterations that a text has; those above the chosen number compute nothing. */
const maxIterations = 10;

/** The number of iterations, and the coefficients of the fixed polynomial. */
export const iterationHyperparameters = {
  nsSteps: { default: 5, min: 0, max: maxIterations },
  muonA: { default: 3.4445 },
  muonB: { default: -4.775 },
  muonC: { default: 2.0315 },
} as const;

/**
 * Polar Express: Amsel et al. 2025, Algorithm 1: for each iteration, the polynomial that brings the singular values
 * nearest to 1. All but the last, which repeats, are for values up to 1.01.
 */
const polarExpress: readonly (readonly [number, number, number])[] = [
  [8.28721201814563, -23.595886519098837, 17.300387312530933],
  [4.107059111542203, -2.9478499167379106, 0.5448431082926601],
  [3.9486908534822946, -2.908902115962949, 0.5518191394370137],
  [3.3184196573706015, -2.488488024314874, 0.51004894012372],
  [2.300652019954817, -1.6689039845747493, 0.4188073119525673],
  [1.891301407787398, -1.2679958271945868, 0.37680408948524835],
  [1.8750014808534479, -1.2500016453999487, 0.3750001645474248],
  [1.875, -1.25, 0.375],
];

/** How far above 1 singular values may be. */
const safetyFactor = 1.01;

function polarExpressAt(iteration: number): readonly string[] {
  const last = polarExpress.length - 1;
  const isLast = iteration >= last;
  return polarExpress[Math.min(iteration, last)].map((value, i) =>
    isLast ? String(value) : `${value} / ${safetyFactor} ** ${2 * i + 1}`,
  );
}

/** The `perStep` statements for the factor of the norm, and the coefficients: after `nsSteps` iterations 1, 0 and 0. */
export function iterationScalars(polynomials: "fixed" | "polar-express"): string {
  const isFixed = polynomials === "fixed";
  const lines = Array.from({ length: maxIterations }, (_, i) => {
    const [a, b, c] = isFixed ? ["muonA", "muonB", "muonC"] : polarExpressAt(i);
    return [
      `a${i} = ${i} < nsSteps ? ${a} : 1`,
      `b${i} = ${i} < nsSteps ? ${b} : 0`,
      `c${i} = ${i} < nsSteps ? ${c} : 0`,
    ];
  });
  return [`normFactor = ${isFixed ? 1 : safetyFactor}`, ...lines.flat()].join("\n");
}

/** The `perElement` statements that iterate on `x`. */
export const iterations: string = Array.from(
  { length: maxIterations },
  (_, i) => `x = newtonSchulz(x, a${i}, b${i}, c${i})`,
).join("\n");
