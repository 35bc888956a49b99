// Writes checkpoints for check_keras.py: node scripts/bridges/write_keras_checkpoints.mjs DIRECTORY
//
// Each model of Keras in the fixtures is trained further by gradstep, and its optimizer also from the start. Each checkpoint
// is followed by the values of the variables in the next ten calls. Build the packages first.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createOptimizer } from "../../packages/core/dist/index.js";
import { oracle } from "../../packages/core/dist/reference.js";
import { cpuJs } from "../../packages/cpu-js/dist/index.js";
import { readKeras, writeKeras } from "../../packages/keras/dist/index.js";

const [directory] = process.argv.slice(2);
const fixtures = new URL("../../packages/keras/test/fixtures/", import.meta.url);
const callsBefore = 4;

/** Where the layers of the models named "sequential" in make_keras_fixtures.py are. */
const layers = {
  "layers/dense": ["features/kernel", "features/bias"],
  "layers/batch_normalization": ["gamma", "beta", "moving_mean", "moving_variance"].map(
    (one) => `norm/${one}`,
  ),
  "layers/dense_1": ["head/kernel", "head/bias"],
};

mkdirSync(directory, { recursive: true });
for (const file of readdirSync(fixtures)) {
  if (!file.endsWith(".keras")) continue;
  const [name, floatType] = file.split(".");
  const isDouble = floatType === "float64";
  const steps = JSON.parse(readFileSync(new URL(`steps.${floatType}.json`, fixtures), "utf8"));
  const { calls } = steps[name];
  const template = readFileSync(new URL(file, fixtures));
  const { spec, parameters, otherTensors, state } = await readKeras(template);
  const names = Object.keys(parameters);
  const array = isDouble ? Float64Array : Float32Array;
  const decode = (text) =>
    array.from(new Float64Array(Uint8Array.from(Buffer.from(text, "base64")).buffer));
  for (const start of isDouble ? ["resumed", "new"] : ["resumed"]) {
    const backend = isDouble ? oracle() : cpuJs();
    const tensors = Object.fromEntries(
      Object.entries(parameters).map(([key, { shape, values }]) => [
        key,
        backend.tensor(shape, values),
      ]),
    );
    const optimizer = createOptimizer(spec, tensors);
    if (start === "resumed") optimizer.restore(state);
    const step = ({ gradients }) => {
      optimizer.step(Object.fromEntries(names.map((key, i) => [key, decode(gradients[i])])));
    };
    const values = async () => {
      const all = names.map(async (key) => [key, (await tensors[key].read()).slice()]);
      return Object.fromEntries(await Promise.all(all));
    };
    for (const one of calls.slice(0, callsBefore)) step(one);
    const now = await values();
    const checkpoint = {
      config: optimizer.config(),
      state: await optimizer.state(),
      parameters: {
        ...Object.fromEntries(
          names.map((key) => [key, { shape: tensors[key].shape, values: now[key] }]),
        ),
        ...otherTensors,
      },
    };
    writeFileSync(
      join(directory, `${name}.${start}.${floatType}.keras`),
      await writeKeras(checkpoint, { template }),
    );
    if (start === "resumed" && names.includes("features/bias") && names.includes("head/bias"))
      writeFileSync(
        join(directory, `${name}.layout.${floatType}.weights.h5`),
        await writeKeras(checkpoint, { layers }),
      );
    const expected = [];
    for (const one of calls.toReversed()) {
      step(one);
      const after = await values();
      expected.push({
        gradients: one.gradients,
        values: names.map((key) =>
          Buffer.from(Float64Array.from(after[key]).buffer).toString("base64"),
        ),
      });
    }
    writeFileSync(join(directory, `${name}.${start}.${floatType}.json`), JSON.stringify(expected));
  }
}
