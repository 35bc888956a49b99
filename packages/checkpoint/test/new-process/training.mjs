// Trains with every rule and stage: `node training.mjs start BACKEND DIRECTORY` takes some steps, saves, and takes more
// steps; `node training.mjs resume BACKEND DIRECTORY` resumes what was saved and takes the same steps. Prints the bits of
// all parameters and slots as JSON, by the name of the optimizer. `… DIRECTORY STRIDE FIRST` trains with every STRIDE-th of
// them, beginning with FIRST.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { checkpointer } from "@gradstep/checkpoint";
import { fileStore } from "@gradstep/checkpoint/files";
import { createOptimizer, cosineDecay } from "@gradstep/core";
import { optimizerByName } from "@gradstep/core/by-name";
import { rules } from "@gradstep/core/rules";
import { stages } from "@gradstep/core/stages";
import { cpuJs } from "@gradstep/cpu-js";
import { wasm } from "@gradstep/wasm";
import { webgpu } from "@gradstep/webgpu/node";

const [phase, backendName, directory, stride = "1", first = "0"] = process.argv.slice(2);
const backend = await {
  "cpu-js": () => cpuJs(),
  exact: () => cpuJs({ exact: true }),
  wasm: () => wasm(),
  webgpu: () => webgpu(),
}[backendName]();

const shapes = { kernel: [4, 3], embedding: [5, 2] };
const steps = 5;

const learningRate = cosineDecay(0.01, 2 * steps);
const specs = [
  ...rules.map((rule) => [rule.name, rule.specify({ learningRate })]),
  ...stages.map((stage) => {
    const chain = stage.updated === "g" ? `${stage.name}+adam` : `adam+${stage.name}`;
    return [chain, optimizerByName(chain, { learningRate })];
  }),
].filter((_, i) => i % Number(stride) === Number(first));

function gradients(step) {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, [rows, columns]], k) => [
      name,
      Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(7 * step + i + k)),
    ]),
  );
}

async function bitsOf(optimizer, parameters) {
  const hash = createHash("sha256");
  for (const tensor of Object.values(parameters)) hash.update(await tensor.read());
  const { slots, ...rest } = await optimizer.state();
  for (const ofOne of Object.values(slots))
    for (const values of Object.values(ofOne)) hash.update(values);
  return hash.update(JSON.stringify(rest)).digest("hex");
}

const results = {};
for (const [name, spec] of specs) {
  const parameters = Object.fromEntries(
    Object.entries(shapes).map(([key, shape]) => [
      key,
      backend.tensor(
        shape,
        Float32Array.from({ length: shape[0] * shape[1] }, (_, i) =>
          // A resumed run has its values from the checkpoint.
          phase === "start" ? Math.cos(i) : 0,
        ),
      ),
    ]),
  );
  const optimizer = createOptimizer(spec, parameters, {
    groups: [{ match: "embedding", every: 2 }],
    accumulate: 2,
    // A GPU scales no losses if groups count steps of their own.
    ...(backendName !== "webgpu" && { lossScale: 4 }),
  });
  const store = fileStore(join(directory, backendName, name));
  const saves = checkpointer(optimizer, parameters, { store });
  // Calls, of which two are a step: the save is in the middle of one.
  const calls = 2 * steps + 1;
  if (phase === "start") {
    for (let call = 0; call < calls; call += 1) optimizer.step(gradients(call));
    await saves.save();
  } else await saves.resume();
  for (let call = calls; call < 2 * calls; call += 1) optimizer.step(gradients(call));
  await saves.close();
  results[name] = await bitsOf(optimizer, parameters);
  optimizer.dispose();
}
process.stdout.write(JSON.stringify(results));
// A WebGPU device keeps the process alive.
backend.dispose?.();
process.exit(0);
