// Writes checkpoints for check_torch.py: node scripts/bridges/write_torch_checkpoints.mjs DIRECTORY
//
// Each file of PyTorch in the fixtures is trained further by gradstep, once with a group for each parameter, and its
// optimizer also from the start; AdamW also with schedules for which PyTorch has schedulers of other kinds. Each checkpoint is followed by the values of the parameters in
// the next ten steps. Build the packages first.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  cosineDecay,
  cosineDecayRestarts,
  createOptimizer,
  cyclical,
  joinSchedules,
  linear,
  oneCycle,
  piecewiseConstant,
  polynomialDecay,
  warmup,
} from "../../packages/core/dist/index.js";
import { oracle } from "../../packages/core/dist/reference.js";
import { cpuJs } from "../../packages/cpu-js/dist/index.js";
import { readTorch, writeTorch } from "../../packages/checkpoint/dist/bridges/torch/index.js";

const [directory] = process.argv.slice(2);
const fixtures = new URL("../../packages/checkpoint/test/fixtures/torch/", import.meta.url);
const gradients = JSON.parse(readFileSync(new URL("gradients.json", fixtures), "utf8"));
const stepsBefore = 3;

const schedules = {
  cosineDecay: cosineDecay(0.01, 8, { alpha: 0.1, warmupTarget: 0.03, warmupSteps: 4 }),
  cosineDecayRestarts: cosineDecayRestarts(0.02, 3, { alpha: 0.05 }),
  cyclical: cyclical(0.01, 0.05, 3, { mode: "exponential", decayRate: 0.95 }),
  joinSchedules: joinSchedules(
    [linear(0.01, 0.03, 5), 5],
    [0.02, 3],
    polynomialDecay(0.03, 9, { end: 0 }),
  ),
  oneCycle: oneCycle(0.03, 15),
  piecewiseConstant: piecewiseConstant([4, 8], [0.04, 0.02, 0.005]),
  piecewiseConstantThatRises: piecewiseConstant([5], [0.01, 0.03]),
  warmup: warmup(6, 0.03, 0.001),
};

mkdirSync(directory, { recursive: true });
for (const file of readdirSync(fixtures)) {
  if (!file.endsWith(".safetensors")) continue;
  const name = file.replace(".safetensors", "");
  const isDouble = name.endsWith("-f64");
  const bytes = readFileSync(new URL(file, fixtures));
  const isScheduled = name.startsWith("adamw-f");
  const starts = ["resumed", "parameter", "new", ...(isScheduled ? Object.keys(schedules) : [])];
  for (const start of starts) {
    const groups = start === "parameter" ? "parameter" : "count";
    const checkpoint = await readTorch(bytes, { groups });
    const backend = isDouble ? oracle() : cpuJs();
    const tensors = Object.fromEntries(
      Object.entries(checkpoint.parameters).map(([key, { shape, values }]) => [
        key,
        backend.tensor(shape, values),
      ]),
    );
    const { hyperparameters } = checkpoint.spec;
    const learningRate = schedules[start] ?? hyperparameters.learningRate;
    const optimizer = createOptimizer(
      { ...checkpoint.spec, hyperparameters: { ...hyperparameters, learningRate } },
      tensors,
    );
    if (start === "resumed" || start === "parameter") optimizer.restore(checkpoint.state);
    const frozen = optimizer.groups.flatMap((group) => (group.frozen ? group.parameters : []));
    const trained = optimizer.parameters.filter((key) => !frozen.includes(key));
    const array = isDouble ? Float64Array : Float32Array;
    const step = (values) => {
      optimizer.step(
        Object.fromEntries(trained.map((key) => [key, array.from(values[key], Math.fround)])),
      );
    };
    const values = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(tensors).map(async ([key, tensor]) => [key, await tensor.read()]),
        ),
      );
    for (const one of gradients.slice(0, stepsBefore)) step(one);
    const now = await values();
    const chunks = [];
    for await (const chunk of writeTorch({
      config: optimizer.config(),
      state: await optimizer.state(),
      parameters: Object.fromEntries(
        Object.entries(tensors).map(([key, { shape }]) => [key, { shape, values: now[key] }]),
      ),
      otherTensors: checkpoint.otherTensors,
    }))
      chunks.push(Uint8Array.from(chunk));
    writeFileSync(join(directory, `${start}.${file}`), Buffer.concat(chunks));
    const expected = [];
    for (const one of gradients) {
      step(one);
      const after = await values();
      expected.push(Object.fromEntries(Object.entries(after).map(([key, one]) => [key, [...one]])));
    }
    writeFileSync(join(directory, `${start}.${name}.json`), JSON.stringify(expected));
  }
}
