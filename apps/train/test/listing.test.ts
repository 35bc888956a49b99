import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { describe, expect, test } from "vitest";
import { listing } from "../src/listing/listing.js";
import { printListing } from "../src/listing/print-listing.js";
import { fakeScreen, widthOf } from "./support.js";

describe("--optimizer list", () => {
  const listed = listing();

  test("has all rules and stages, each with a summary", () => {
    expect(listed.rules.map(({ name }) => name)).toEqual(rules.map(({ name }) => name));
    expect(listed.stages.map(({ name }) => name)).toEqual(stages.map(({ name }) => name));
    for (const { summary } of [...listed.rules, ...listed.stages, ...listed.schedules])
      expect(summary).toMatch(/^.{20,}\.$/s);
  });

  test("names the paper of each rule", () => {
    // FTRL and RMSprop as the others: authors and a year.
    for (const { summary } of listed.rules) expect(summary).toMatch(/[A-Z].* (19|20)\d\d/);
    expect(listed.rules.find(({ name }) => name === "adamw")?.summary).toBe(
      "AdamW: Loshchilov & Hutter 2019.",
    );
  });

  test("has arguments with their defaults", () => {
    const adamw = listed.rules.find(({ name }) => name === "adamw")!;
    expect(adamw.hyperparameters["weightDecay"]).toEqual({ default: 0.004, min: 0 });
    expect(adamw.options["epsilonMode"]).toEqual(["keras", "paper"]);
    expect(adamw.learningRate).toBe(0.003);
    const cosine = listed.schedules.find(({ function: name }) => name === "cosineDecay")!;
    expect(cosine.parameters).toEqual([
      "initial",
      "decaySteps",
      "{ alpha=0, warmupTarget, warmupSteps=0 }",
    ]);
  });

  test("is printed with all of it", () => {
    const screen = fakeScreen();
    printListing(listed, screen);
    expect(screen.text()).toContain(
      [
        "lion",
        "  Lion: Chen et al. 2023, Algorithm 2.",
        "  learningRate=0.001 weightDecay=0 beta1=0.9 beta2=0.99",
        "  weightDecayMode=decoupled|l2 maximize=false|true averageForm=difference|sum",
        "  in the trainer: --learning-rate 0.0005",
      ].join("\n"),
    );
    expect(screen.text()).toContain("ema\n  An exponential moving average of the weights");
    expect(screen.text()).toContain("  emaMomentum=0.99 emaOverwrite=0\n");
  });

  test.each([60, 80, 100])("fits in %i columns", (columns) => {
    const screen = fakeScreen({ isTTY: true, columns });
    printListing(listed, screen);
    expect(widthOf(screen.text())).toBeLessThanOrEqual(columns);
  });
});
