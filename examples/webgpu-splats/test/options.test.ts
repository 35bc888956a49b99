import { expect, test } from "vitest";
import { optionsOf } from "../src/options.js";

test("options, and what is wrong with them", () => {
  expect(optionsOf([])).toEqual({ density: "adaptive", runs: 1, picture: undefined });
  expect(optionsOf(["--density=mcmc", "--runs", "3", "--picture=a.png"])).toEqual({
    density: "mcmc",
    runs: 3,
    picture: "a.png",
  });
  expect(optionsOf(["--help"])).toMatchObject({ exitCode: 0 });
  for (const args of [["--runs=0"], ["--runs=x"], ["--density=other"], ["mcmc"], ["--runz=1"]])
    expect(optionsOf(args)).toMatchObject({
      text: expect.stringContaining("Usage"),
      exitCode: 2,
    });
});
