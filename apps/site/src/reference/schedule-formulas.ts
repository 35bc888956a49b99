/** How a schedule computes its value $\eta_t$ after $t$ steps. */
export interface ScheduleFormula {
  /** LaTeX of lines `name`, `value`; the last is that of the schedule. */
  readonly lines: readonly (readonly [target: string, value: string])[];
  /** The symbols of its options. */
  readonly symbols: Readonly<Record<string, string>>;
}

const half = "\\tfrac{1}{2}";

/** By kind. The options that are left out have their defaults. */
export const scheduleFormulas: Readonly<Record<string, ScheduleFormula>> = {
  linear: {
    lines: [["\\eta_{t}", "a + \\left( b - a \\right) \\frac{\\min\\left( t, T \\right)}{T}"]],
    symbols: { from: "a", to: "b", steps: "T" },
  },
  "cosine-decay": {
    lines: [
      [
        "\\eta_{t}",
        `\\eta_{0} \\left( \\left( 1 - \\alpha \\right) \\frac{1 + \\cos\\left( \\pi \\frac{\\min\\left( t, T \\right)}{T} \\right)}{2} + \\alpha \\right)`,
      ],
    ],
    symbols: { initial: "\\eta_{0}", decaySteps: "T", alpha: "\\alpha" },
  },
  "cosine-decay-restarts": {
    lines: [
      [
        "i",
        "\\left\\lfloor \\frac{\\log\\left( 1 - \\frac{t}{T} \\left( 1 - f \\right) \\right)}{\\log\\left( f \\right)} \\right\\rfloor",
      ],
      ["s", "\\frac{t}{T} - \\frac{1 - f^{i}}{1 - f}"],
      [
        "\\eta_{t}",
        "\\eta_{0} \\left( \\left( 1 - \\alpha \\right) h^{i} \\frac{1 + \\cos\\left( \\pi \\frac{s}{f^{i}} \\right)}{2} + \\alpha \\right)",
      ],
    ],
    symbols: {
      initial: "\\eta_{0}",
      firstDecaySteps: "T",
      periodFactor: "f",
      heightFactor: "h",
      alpha: "\\alpha",
    },
  },
  "exponential-decay": {
    lines: [["\\eta_{t}", "\\eta_{0} \\, r^{\\frac{t}{T}}"]],
    symbols: { initial: "\\eta_{0}", decaySteps: "T", decayRate: "r" },
  },
  "inverse-time-decay": {
    lines: [["\\eta_{t}", "\\frac{\\eta_{0}}{1 + r \\frac{t}{T}}"]],
    symbols: { initial: "\\eta_{0}", decaySteps: "T", decayRate: "r" },
  },
  "polynomial-decay": {
    lines: [
      [
        "\\eta_{t}",
        "\\left( \\eta_{0} - b \\right) \\left( 1 - \\frac{\\min\\left( t, T \\right)}{T} \\right)^{n} + b",
      ],
    ],
    symbols: { initial: "\\eta_{0}", end: "b", decaySteps: "T", power: "n" },
  },
  warmup: {
    lines: [
      [
        "\\eta_{t}",
        "\\begin{cases} a + \\left( b - a \\right) \\tfrac{t}{T} & \\text{if } t < T \\\\ b & \\text{otherwise} \\end{cases}",
      ],
    ],
    symbols: { steps: "T", target: "b", from: "a" },
  },
  "warmup-stable-decay": {
    lines: [
      ["s", "\\min\\left( 1, \\frac{\\max\\left( 0, t - W - S \\right)}{D} \\right)"],
      [
        "\\eta_{t}",
        "\\begin{cases} c \\, \\tfrac{t}{W} & \\text{if } t < W \\\\ c \\left( 1 - s \\right) & \\text{otherwise} \\end{cases}",
      ],
    ],
    symbols: { highest: "c", warmupSteps: "W", stableSteps: "S", decaySteps: "D" },
  },
  "one-cycle": {
    lines: [
      ["m", "w T - 1"],
      [
        "\\eta_{t}",
        `\\begin{cases} c + ${half} \\left( \\tfrac{c}{d} - c \\right) \\left( 1 + \\cos\\left( \\pi \\tfrac{t}{m} \\right) \\right) & \\text{if } t \\le m \\\\ \\tfrac{c}{10000 d} + ${half} \\left( c - \\tfrac{c}{10000 d} \\right) \\left( 1 + \\cos\\left( \\pi \\min\\left( 1, \\tfrac{t - m}{T - 1 - m} \\right) \\right) \\right) & \\text{otherwise} \\end{cases}`,
      ],
    ],
    symbols: { highest: "c", steps: "T", warmupFraction: "w", divFactor: "d" },
  },
  cyclical: {
    lines: [
      ["i", "\\left\\lfloor 1 + \\frac{t}{2 H} \\right\\rfloor"],
      [
        "\\eta_{t}",
        "a + \\left( b - a \\right) \\max\\left( 0, 1 - \\left| \\frac{t}{H} - 2 i + 1 \\right| \\right)",
      ],
    ],
    symbols: { low: "a", high: "b", halfCycle: "H" },
  },
};
