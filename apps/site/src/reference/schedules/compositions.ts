import { piecewiseConstant, warmup } from "@gradstep/core";
import { rate, keras, torch } from "./schedule-counterpart.js";
import type { ScheduleInfo } from "./schedule-info.js";

/** Schedules of parts. */
export const compositions = {
  piecewiseConstant: {
    sources: [],
    counterparts: [
      {
        library: "keras",
        there: "PiecewiseConstantDecay(boundaries=[500], values=[0.001, 0.0001])",
        here: piecewiseConstant([500], [rate, 0.0001]),
        read: keras("PiecewiseConstantDecay", { boundaries: [500], values: [rate, 0.0001] }),
      },
      {
        library: "torch",
        there: "MultiStepLR(optimizer, milestones=[500], gamma=0.1)",
        here: piecewiseConstant([499], [rate, 0.0001]),
        read: torch("MultiStepLR", { milestones: [500], gamma: 0.1 }),
        difference: "The value changes one step earlier than with Keras's boundary.",
      },
      {
        library: "optax",
        there: "optax.piecewise_constant_schedule(0.001, {500: 0.1})",
        here: piecewiseConstant([499], [rate, 0.0001]),
        difference: "The value changes one step earlier than with Keras's boundary.",
      },
    ],
  },
  warmup: {
    sources: [],
    formula: {
      lines: [
        [
          "\\eta_{t}",
          "\\begin{cases} a + \\left( b - a \\right) \\tfrac{t}{T} & \\text{if } t < T \\\\ b & \\text{otherwise} \\end{cases}",
        ],
      ],
      symbols: { steps: "T", target: "b", from: "a" },
    },
    counterparts: [
      {
        library: "torch",
        there: "LinearLR(optimizer, start_factor=0.1, end_factor=1, total_iters=100)",
        here: warmup(100, rate, 0.0001),
        read: torch("LinearLR", { start_factor: 0.1, end_factor: 1, total_iters: 100 }),
      },
      {
        library: "optax",
        there: "optax.warmup_constant_schedule(0, 0.001, warmup_steps=100)",
        here: warmup(100, rate),
      },
    ],
  },
} satisfies Readonly<Record<string, ScheduleInfo>>;
