import { exponentialDecay, inverseTimeDecay, linear, polynomialDecay } from "@gradstep/core";
import { rate, keras, torch } from "./schedule-counterpart.js";
import type { ScheduleInfo } from "./schedule-info.js";

/** Schedules that fall. */
export const decays = {
  linear: {
    sources: [],
    formula: {
      lines: [["\\eta_{t}", "a + \\left( b - a \\right) \\frac{\\min\\left( t, T \\right)}{T}"]],
      symbols: { from: "a", to: "b", steps: "T" },
    },
    counterparts: [
      {
        library: "torch",
        there: "LinearLR(optimizer, start_factor=1, end_factor=0.1, total_iters=1000)",
        here: linear(rate, 0.0001, 1000),
        read: torch("LinearLR", { start_factor: 1, end_factor: 0.1, total_iters: 1000 }),
      },
      {
        library: "optax",
        there: "optax.linear_schedule(0.001, 0.0001, transition_steps=1000)",
        here: linear(rate, 0.0001, 1000),
      },
    ],
  },
  exponentialDecay: {
    sources: [],
    formula: {
      lines: [["\\eta_{t}", "\\eta_{0} \\, r^{\\frac{t}{T}}"]],
      symbols: { initial: "\\eta_{0}", decaySteps: "T", decayRate: "r" },
    },
    counterparts: [
      {
        library: "keras",
        there: "ExponentialDecay(0.001, decay_steps=200, decay_rate=0.5, staircase=False)",
        here: exponentialDecay(rate, 200, 0.5),
        read: keras("ExponentialDecay", {
          initial_learning_rate: rate,
          decay_steps: 200,
          decay_rate: 0.5,
          staircase: false,
        }),
      },
      {
        library: "torch",
        there: "StepLR(optimizer, step_size=200, gamma=0.1)",
        here: exponentialDecay(rate, 200, 0.1, { staircase: true }),
        read: torch("StepLR", { step_size: 200, gamma: 0.1 }),
      },
      {
        library: "torch",
        there: "ExponentialLR(optimizer, gamma=0.99)",
        here: exponentialDecay(rate, 1, 0.99),
        read: torch("ExponentialLR", { gamma: 0.99 }),
      },
      {
        library: "optax",
        there:
          "optax.exponential_decay(0.001, transition_steps=200, decay_rate=0.5, staircase=False)",
        here: exponentialDecay(rate, 200, 0.5),
      },
    ],
  },
  inverseTimeDecay: {
    sources: [],
    formula: {
      lines: [["\\eta_{t}", "\\frac{\\eta_{0}}{1 + r \\frac{t}{T}}"]],
      symbols: { initial: "\\eta_{0}", decaySteps: "T", decayRate: "r" },
    },
    counterparts: [
      {
        library: "keras",
        there: "InverseTimeDecay(0.001, decay_steps=100, decay_rate=1, staircase=False)",
        here: inverseTimeDecay(rate, 100, 1),
        read: keras("InverseTimeDecay", {
          initial_learning_rate: rate,
          decay_steps: 100,
          decay_rate: 1,
          staircase: false,
        }),
      },
    ],
  },
  polynomialDecay: {
    sources: [],
    formula: {
      lines: [
        [
          "\\eta_{t}",
          "\\left( \\eta_{0} - b \\right) \\left( 1 - \\frac{\\min\\left( t, T \\right)}{T} \\right)^{n} + b",
        ],
      ],
      symbols: { initial: "\\eta_{0}", end: "b", decaySteps: "T", power: "n" },
    },
    counterparts: [
      {
        library: "keras",
        there:
          "PolynomialDecay(0.001, decay_steps=1000, end_learning_rate=0.0001, power=1, cycle=False)",
        here: polynomialDecay(rate, 1000, { end: 0.0001, power: 1 }),
        read: keras("PolynomialDecay", {
          initial_learning_rate: rate,
          decay_steps: 1000,
          end_learning_rate: 0.0001,
          power: 1,
          cycle: false,
        }),
      },
      {
        library: "torch",
        there: "PolynomialLR(optimizer, total_iters=1000, power=1)",
        here: polynomialDecay(rate, 1000, { end: 0, power: 1 }),
        read: torch("PolynomialLR", { total_iters: 1000, power: 1 }),
      },
      {
        library: "optax",
        there: "optax.polynomial_schedule(0.001, 0.0001, power=2, transition_steps=1000)",
        here: polynomialDecay(rate, 1000, { end: 0.0001, power: 2 }),
      },
    ],
  },
} satisfies Readonly<Record<string, ScheduleInfo>>;
