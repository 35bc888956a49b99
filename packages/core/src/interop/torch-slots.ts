const adam = { exp_avg: "m", exp_avg_sq: "v", max_exp_avg_sq: "vMax" } as const;

const slots: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sgd: { momentum_buffer: "m" },
  adagrad: { sum: "a" },
  rmsprop: { square_avg: "v", grad_avg: "a", momentum_buffer: "m" },
  adam,
  adamw: adam,
  adamax: { exp_avg: "m", exp_inf: "norm" },
  adadelta: { square_avg: "v", acc_delta: "d" },
  // A vector has no rows and columns in PyTorch, and one column here.
  adafactor: { row_var: "r", col_var: "c", variance: "r" },
  nadam: { exp_avg: "m", exp_avg_sq: "v" },
  radam: { exp_avg: "m", exp_avg_sq: "v" },
  muon: { momentum_buffer: "m" },
};

/**
 * The slots of a rule by what PyTorch calls them in the state of a parameter: `{ exp_avg: "m", … }`. The values are the
 * same. Empty for rules that PyTorch does not have.
 */
export function torchSlots(rule: string): Readonly<Record<string, string>> {
  return typeof rule === "string" && Object.hasOwn(slots, rule) ? slots[rule] : {};
}
