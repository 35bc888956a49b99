import { cyclical, oneCycle } from "@gradstep/core";
import { arxiv } from "../papers.js";
import { rate, torch } from "./schedule-counterpart.js";
import type { ScheduleInfo } from "./schedule-info.js";

const half = "\\tfrac{1}{2}";

/** Schedules that rise and fall. */
export const cycles = {
  oneCycle: {
    sources: [
      arxiv(
        "1708.07120",
        "Smith, Topin",
        2019,
        "Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates",
        "Proceedings of SPIE 11006",
      ),
    ],
    formula: {
      lines: [
        ["m", "w T - 1"],
        [
          "\\eta_{t}",
          `\\begin{cases} c + ${half} \\left( \\tfrac{c}{d} - c \\right) \\left( 1 + \\cos\\left( \\pi \\tfrac{t}{m} \\right) \\right) & \\text{if } t \\le m \\\\ \\tfrac{c}{10000 d} + ${half} \\left( c - \\tfrac{c}{10000 d} \\right) \\left( 1 + \\cos\\left( \\pi \\min\\left( 1, \\tfrac{t - m}{T - 1 - m} \\right) \\right) \\right) & \\text{otherwise} \\end{cases}`,
        ],
      ],
      symbols: { highest: "c", steps: "T", warmupFraction: "w", divFactor: "d" },
    },
    counterparts: [
      {
        library: "torch",
        there:
          "OneCycleLR(optimizer, max_lr=0.001, total_steps=1000, pct_start=0.3, div_factor=25, final_div_factor=1e4)",
        here: oneCycle(rate, 1000, { warmupFraction: 0.3, divFactor: 25, finalDivFactor: 1e4 }),
        read: torch("OneCycleLR", { max_lr: rate, total_steps: 1000, cycle_momentum: false }),
      },
      {
        library: "optax",
        there: "optax.cosine_onecycle_schedule(transition_steps=1000, peak_value=0.001)",
        here: oneCycle(rate, 1000),
        difference: "Its two phases end one step later.",
      },
    ],
  },
  cyclical: {
    sources: [
      arxiv(
        "1506.01186",
        "Smith",
        2017,
        "Cyclical Learning Rates for Training Neural Networks",
        "WACV",
      ),
    ],
    formula: {
      lines: [
        ["i", "\\left\\lfloor 1 + \\frac{t}{2 H} \\right\\rfloor"],
        [
          "\\eta_{t}",
          "a + \\left( b - a \\right) \\max\\left( 0, 1 - \\left| \\frac{t}{H} - 2 i + 1 \\right| \\right)",
        ],
      ],
      symbols: { low: "a", high: "b", halfCycle: "H" },
    },
    counterparts: [
      {
        library: "torch",
        there:
          'CyclicLR(optimizer, base_lr=0.0001, max_lr=0.001, step_size_up=100, mode="triangular")',
        here: cyclical(0.0001, rate, 100, { mode: "triangular" }),
        read: torch("CyclicLR", {
          base_lr: 0.0001,
          max_lr: rate,
          step_size_up: 100,
          cycle_momentum: false,
        }),
      },
    ],
  },
  warmupStableDecay: {
    sources: [
      arxiv(
        "2404.06395",
        "Hu, Tu, Han, and others",
        2024,
        "MiniCPM: Unveiling the Potential of Small Language Models with Scalable Training Strategies",
        "COLM",
      ),
      {
        ...arxiv(
          "2405.18392",
          "Hägele, Bakouch, Kosson, Ben Allal, Von Werra, Jaggi",
          2024,
          "Scaling Laws and Compute-Optimal Training Beyond Fixed Training Durations",
          "NeurIPS",
        ),
        part: '`shape: "sqrt"`',
      },
    ],
    formula: {
      lines: [
        ["s", "\\min\\left( 1, \\frac{\\max\\left( 0, t - W - S \\right)}{D} \\right)"],
        [
          "\\eta_{t}",
          "\\begin{cases} c \\, \\tfrac{t}{W} & \\text{if } t < W \\\\ c \\left( 1 - s \\right) & \\text{otherwise} \\end{cases}",
        ],
      ],
      symbols: { highest: "c", warmupSteps: "W", stableSteps: "S", decaySteps: "D" },
    },
    counterparts: [],
  },
} satisfies Readonly<Record<string, ScheduleInfo>>;
