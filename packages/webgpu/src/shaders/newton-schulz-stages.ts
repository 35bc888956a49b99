/** The dispatches of a Newton–Schulz iteration, in order. */
export const newtonSchulzStages = ["gram", "polynomial", "result"] as const;
export type NewtonSchulzStage = (typeof newtonSchulzStages)[number];

/** A factor of a term: in row `line` of the left matrix, in column `line` of the right one. */
export interface Factor {
  /** If X has more rows than columns, and otherwise. */
  readonly tall: string;
  readonly wide: string;
  /** Whether consecutive k are consecutive in memory. */
  readonly isAlongK: string;
}

/** What a stage computes. `size` and `length` are the smaller and the larger side of X. */
export interface Stage {
  readonly summary: string;
  readonly rows: string;
  readonly columns: string;
  readonly terms: string;
  /** Whether tiles below the diagonal are copies of those above. */
  readonly isSymmetric: boolean;
  readonly left: Factor;
  readonly right: Factor;
  /** Where the value at `index` is stored, and the value. */
  readonly target: string;
  readonly value: (a: string, b: string, c: string) => string;
}

const lineOfX: Factor = {
  tall: "x[x_start + k * columns + line]",
  wide: "x[x_start + line * columns + k]",
  isAlongK: "!is_tall",
};
const lineOfGram: Factor = {
  tall: "products[gram_start + k * size + line]",
  wide: "products[gram_start + k * size + line]",
  isAlongK: "false",
};

export const stages: Readonly<Record<NewtonSchulzStage, Stage>> = {
  gram: {
    summary: "A = X·Xᵀ, or Xᵀ·X if X has more rows than columns",
    rows: "size",
    columns: "size",
    terms: "length",
    isSymmetric: true,
    left: lineOfX,
    right: lineOfX,
    target: "products[gram_start + index]",
    value: () => "sum",
  },
  polynomial: {
    summary: "B = b·A + c·A·A",
    rows: "size",
    columns: "size",
    terms: "size",
    isSymmetric: true,
    left: lineOfGram,
    right: lineOfGram,
    target: "products[polynomial_start + index]",
    value: (_, b, c) => `${b} * products[gram_start + index] + ${c} * sum`,
  },
  result: {
    summary: "a·X + B·X, or a·X + X·B if X has more rows than columns",
    rows: "rows",
    columns: "columns",
    terms: "select(size, 0u, is_identity)",
    isSymmetric: false,
    left: {
      tall: "x[x_start + line * columns + k]",
      wide: "products[polynomial_start + k * size + line]",
      isAlongK: "is_tall",
    },
    right: {
      tall: "products[polynomial_start + k * size + line]",
      wide: "x[x_start + k * columns + line]",
      isAlongK: "false",
    },
    target: "result[result_start + index]",
    value: (a) => `${a} * x[x_start + index] + sum`,
  },
};
