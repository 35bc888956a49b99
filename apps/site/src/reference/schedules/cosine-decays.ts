import { cosineDecay, cosineDecayRestarts } from "@gradstep/core";
import { sgdr } from "../papers.js";
import { rate, keras, torch } from "./schedule-counterpart.js";
import type { ScheduleInfo } from "./schedule-info.js";

/** Schedules that fall as a cosine. */
export const cosineDecays = {
  cosineDecay: {
    sources: [sgdr],
    formula: {
      lines: [
        [
          "\\eta_{t}",
          `\\eta_{0} \\left( \\left( 1 - \\alpha \\right) \\frac{1 + \\cos\\left( \\pi \\frac{\\min\\left( t, T \\right)}{T} \\right)}{2} + \\alpha \\right)`,
        ],
      ],
      symbols: { initial: "\\eta_{0}", decaySteps: "T", alpha: "\\alpha" },
    },
    counterparts: [
      {
        library: "keras",
        there: "CosineDecay(0.001, decay_steps=1000, alpha=0)",
        here: cosineDecay(rate, 1000, { alpha: 0 }),
        read: keras("CosineDecay", { initial_learning_rate: rate, decay_steps: 1000, alpha: 0 }),
      },
      {
        library: "torch",
        there: "CosineAnnealingLR(optimizer, T_max=1000, eta_min=0)",
        here: cosineDecay(rate, 1000, { alpha: 0 }),
        difference: "After `T_max` steps it rises again; `fromTorch` does the same.",
      },
      {
        library: "optax",
        there: "optax.cosine_decay_schedule(0.001, decay_steps=1000, alpha=0)",
        here: cosineDecay(rate, 1000, { alpha: 0 }),
      },
      {
        library: "optax",
        there: "optax.warmup_cosine_decay_schedule(0, 0.001, warmup_steps=100, decay_steps=1000)",
        here: cosineDecay(0, 900, { warmupTarget: rate, warmupSteps: 100 }),
        difference: "Its `decay_steps` include those of the warm-up.",
      },
    ],
  },
  cosineDecayRestarts: {
    sources: [sgdr],
    formula: {
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
    counterparts: [
      {
        library: "keras",
        there: "CosineDecayRestarts(0.001, first_decay_steps=100, t_mul=2, m_mul=1, alpha=0)",
        here: cosineDecayRestarts(rate, 100, { periodFactor: 2, heightFactor: 1, alpha: 0 }),
        read: keras("CosineDecayRestarts", {
          initial_learning_rate: rate,
          first_decay_steps: 100,
          t_mul: 2,
          m_mul: 1,
          alpha: 0,
        }),
      },
      {
        library: "torch",
        there: "CosineAnnealingWarmRestarts(optimizer, T_0=100, T_mult=1, eta_min=0)",
        here: cosineDecayRestarts(rate, 100, { periodFactor: 1, alpha: 0 }),
        read: torch("CosineAnnealingWarmRestarts", { T_0: 100, T_mult: 1, eta_min: 0 }),
      },
    ],
  },
} satisfies Readonly<Record<string, ScheduleInfo>>;
