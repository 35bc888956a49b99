import { describe, expect, test } from "vitest";
import { helpText, OptionsError, parseOptions } from "../src/options.js";
import { optimizerNames } from "../src/optimizers.js";

describe("options", () => {
  test("have defaults", () => {
    expect(parseOptions([])).toEqual({
      optimizer: "adam",
      learningRate: 0.003,
      epochs: 8,
      batchSize: 64,
      backend: "wasm",
      seed: 1,
      compare: false,
      json: false,
      report: undefined,
      help: false,
    });
  });

  test("are all read, with = or a space; the last of two wins", () => {
    const args =
      "--optimizer lion --learning-rate=1e-4 --epochs 3 --epochs 4 --batch-size 32 --backend cpu-js --seed 0 --json --report out.html --help";
    expect(parseOptions(args.split(" "))).toEqual({
      optimizer: "lion",
      learningRate: 1e-4,
      epochs: 4,
      batchSize: 32,
      backend: "cpu-js",
      seed: 0,
      compare: false,
      json: true,
      report: "out.html",
      help: true,
    });
  });

  test("take every rule of gradstep, each with a learning rate of its own", () => {
    for (const name of optimizerNames) {
      const { optimizer, learningRate } = parseOptions(["--optimizer", name]);
      expect(optimizer).toBe(name);
      expect(learningRate).toBeGreaterThan(0);
    }
    expect(parseOptions(["--optimizer", "sgd"]).learningRate).not.toBe(
      parseOptions(["--optimizer", "adam"]).learningRate,
    );
  });

  test("train for fewer epochs when comparing, unless told otherwise", () => {
    expect(parseOptions(["--compare"]).epochs).toBe(2);
    expect(parseOptions(["--compare", "--epochs", "7"]).epochs).toBe(7);
  });

  test.each([
    [["--epoch", "3"], "Got the unknown option --epoch; expected one of --optimizer "],
    [["-e", "3"], "Got the unknown option -e; expected one of "],
    [["--no-json"], "Got the unknown option --no-json; expected one of "],
    [["--__proto__", "3"], "Got the unknown option --__proto__; expected one of "],
    [["5"], 'Got "5"; expected only options'],
    [["--epochs", "x"], "Got --epochs x; expected a whole number from 1 to 1000."],
    [["--epochs", "0"], "Got --epochs 0; expected a whole number from 1 to 1000."],
    [["--epochs", "2.5"], "Got --epochs 2.5; expected a whole number from 1 to 1000."],
    [["--epochs"], "Got --epochs without a value; expected --epochs COUNT."],
    [["--report="], "Got --report without a value; expected --report FILE."],
    [["--batch-size", "8001"], "Got --batch-size 8001; expected a whole number from 1 to 8000."],
    [["--seed", "-1"], "Got --seed -1; expected a whole number from 0 to 4294967295."],
    [["--learning-rate", "-1"], "Got --learning-rate -1; expected a number above 0"],
    [["--learning-rate", "0"], "Got --learning-rate 0; expected a number above 0"],
    [["--learning-rate", "0x10"], "Got --learning-rate 0x10; expected a number above 0"],
    [["--learning-rate", "1e999"], "Got --learning-rate 1e999; expected a number above 0"],
    [["--optimizer", "adan"], "Got --optimizer adan; expected one of "],
    [["--backend", "webgl"], "Got --backend webgl; expected one of wasm, webgpu, cpu-js, auto."],
    [["--json=yes"], "Got --json=yes; expected --json alone"],
    [["--compare", "--optimizer", "sgd"], "Got --optimizer sgd with --compare; expected adam"],
  ])("%j is refused in one line", (args, message) => {
    let error: unknown;
    try {
      parseOptions(args);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(OptionsError);
    expect((error as OptionsError).message).toContain(message);
    expect((error as OptionsError).message).not.toContain("\n");
  });

  test("are in the help, in 80 columns", () => {
    const lines = helpText().split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(82);
    for (const option of Object.keys(parseOptions([]))) {
      const name = option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
      expect(helpText()).toContain(`  --${name}`);
    }
  });
});
