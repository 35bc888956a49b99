import { optimizerNames } from "@gradstep/digits/optimizers";
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { rules } from "@gradstep/core/rules";
import { describe, expect, test } from "vitest";
import { helpText, optionNames, OptionsError, parseOptions } from "../src/options.mjs";
import { widthOf } from "./support.js";

describe("options", () => {
  test("have defaults", () => {
    expect(parseOptions([])).toEqual({
      optimizer: "adam",
      list: false,
      learningRate: 0.003,
      schedule: "cosineDecay(learningRate, steps, { alpha: 0.02 })",
      clip: undefined,
      accumulate: 1,
      nonFinite: undefined,
      lossScale: undefined,
      ema: undefined,
      epochs: 8,
      batchSize: 64,
      backend: "wasm",
      seed: 1,
      compare: false,
      checkpoint: undefined,
      every: undefined,
      resume: false,
      json: false,
      report: undefined,
      help: false,
    });
  });

  test("are read with = or a space, and the last of two wins", () => {
    const args =
      "--optimizer lion --learning-rate=1e-4 --clip 0.5 --accumulate 4 --non-finite skip --loss-scale 1024 --ema 0.99 --epochs 3 --epochs 4 --batch-size 32 --backend cpu-js --seed 0 --json --report out.html --help";
    expect(
      parseOptions([...args.split(" "), "--schedule", "linear(learningRate, 0, steps)"]),
    ).toEqual({
      optimizer: "lion",
      list: false,
      learningRate: 1e-4,
      schedule: "linear(learningRate, 0, steps)",
      clip: 0.5,
      accumulate: 4,
      nonFinite: "skip",
      lossScale: 1024,
      ema: 0.99,
      epochs: 4,
      batchSize: 32,
      backend: "cpu-js",
      seed: 0,
      compare: false,
      checkpoint: undefined,
      every: undefined,
      resume: false,
      json: true,
      report: "out.html",
      help: true,
    });
  });

  test("include every rule of gradstep but FTRL, each with its own learning rate", () => {
    const names = rules.map(({ name }) => name).filter((name) => name !== "ftrl");
    expect([...optimizerNames].sort()).toEqual(names.sort());
    for (const name of optimizerNames) {
      const { optimizer, learningRate } = parseOptions(["--optimizer", name]);
      expect(optimizer).toBe(name);
      expect(learningRate).toBeGreaterThan(0);
    }
    expect(parseOptions(["--optimizer", "sgd"]).learningRate).not.toBe(
      parseOptions(["--optimizer", "adam"]).learningRate,
    );
  });

  test("default to fewer epochs with --compare", () => {
    expect(parseOptions(["--compare"]).epochs).toBe(2);
    expect(parseOptions(["--compare", "--epochs", "7"]).epochs).toBe(7);
  });

  test("-h is --help", () => {
    expect(parseOptions(["-h"]).help).toBe(true);
  });

  test.each([
    [["--epoch", "3"], "Got the unknown option --epoch; expected one of --optimizer "],
    [["--epoch", "3"], "--help. Did you mean --epochs?"],
    [["--batch", "8"], "Did you mean --batch-size?"],
    [["-e", "3"], "Got the unknown option -e; expected one of "],
    [["-help"], "Got the unknown option -e; expected one of "],
    [["--no-json"], "Got the unknown option --no-json; expected one of "],
    [["--__proto__", "3"], "Got the unknown option --__proto__; expected one of "],
    [["5"], 'Got "5" with no option before it; expected one of --optimizer '],
    [["--epochs", "x"], "Got --epochs x; expected a whole number from 1 to 1000."],
    [["--epochs", "0"], "Got --epochs 0; expected a whole number from 1 to 1000."],
    [["--epochs", "2.5"], "Got --epochs 2.5; expected a whole number from 1 to 1000."],
    [["--epochs"], "Got --epochs without a value; expected --epochs COUNT."],
    [["--report="], "Got --report without a value; expected --report FILE."],
    [["--report", "--json"], "Got --report without a value; expected --report FILE."],
    [["--batch-size", "8001"], "Got --batch-size 8001; expected a whole number from 1 to 8000."],
    [["--seed", "-1"], "Got --seed -1; expected a whole number from 0 to 4294967295."],
    [["--learning-rate", "-1"], "Got --learning-rate -1; expected a number above 0"],
    [["--learning-rate", "0"], "Got --learning-rate 0; expected a number above 0"],
    [["--learning-rate", "0x10"], "Got --learning-rate 0x10; expected a number above 0"],
    [["--learning-rate", "1e999"], "Got --learning-rate 1e999; expected a number above 0"],
    [["--optimizer", "adma"], "Got --optimizer adma; expected one of "],
    [["--backend", "webgl"], "Got --backend webgl; expected one of wasm, webgpu, cpu-js, auto."],
    [["--json=yes"], "Got --json=yes; expected --json alone"],
    [["--clip", "0"], "Got --clip 0; expected a number above 0"],
    [["--accumulate", "0"], "Got --accumulate 0; expected a whole number from 1 to 1000."],
    [["--non-finite", "no"], "Got --non-finite no; expected one of propagate, skip, throw."],
    [
      ["--loss-scale", "fast"],
      "Got --loss-scale fast; expected a number above 0, such as 1024, or dynamic.",
    ],
    [
      ["--loss-scale", "dynamic", "--non-finite", "throw"],
      "Got --non-finite throw with --loss-scale dynamic; expected skip",
    ],
    [["--ema", "1"], "Got --ema 1; expected a number from 0 to less than 1, such as 0.99."],
    [["--every", "5"], "Got --every without --checkpoint; expected --checkpoint DIR, too."],
    [["--resume"], "Got --resume without --checkpoint; expected --checkpoint DIR, too."],
    [["--checkpoint", "a", "--every", "0"], "Got --every 0; expected a whole number from 1"],
    [["--compare", "--checkpoint", "a"], "Got --checkpoint with --compare; expected one of them."],
    [["--compare", "--clip", "1"], "Got --clip with --compare; expected one of them, because"],
    [["--compare", "--optimizer", "list"], "Got --optimizer list with --compare; expected adam"],
    [["--compare", "--optimizer", "sgd"], "Got --optimizer sgd with --compare; expected adam"],
  ])("%j is rejected in one line", (args, message) => {
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

  test.each([60, 80])("are in the help, which fits in %i columns", (columns) => {
    expect(widthOf(helpText(columns))).toBeLessThanOrEqual(columns);
    expect(helpText(columns + 100)).toBe(helpText());
    const { list: _, ...options } = parseOptions([]);
    const names = Object.keys(options).map((option) =>
      option.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
    );
    expect(optionNames).toEqual(names);
    for (const name of names) expect(helpText(columns)).toContain(`--${name}`);
  });

  test("can be read where nothing is installed or built", () => {
    const folder = mkdtempSync(join(tmpdir(), "options-"));
    try {
      for (const file of [
        "train/src/options.mjs",
        "digits/src/optimizers.mjs",
        "shared/src/command-line.mjs",
      ]) {
        cpSync(fileURLToPath(new URL(`../../${file}`, import.meta.url)), join(folder, file));
      }
      const script = `import { helpText } from ${JSON.stringify(join(folder, "train/src/options.mjs"))}; console.log(helpText());`;
      const output = execFileSync(process.execPath, ["--input-type=module", "--eval", script]);
      expect(output.toString()).toBe(`${helpText()}\n`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
