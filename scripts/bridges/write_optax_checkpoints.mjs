// Writes checkpoints of gradstep for Optax, and the next 10 steps, for check_optax.py:
//
//     node write_optax_checkpoints.mjs f32 OUT
//
// Needs `pnpm build`. For each optimizer: OUT/<name>-<type>.safetensors and OUT/<name>-<type>.json.
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const packages = new URL("../../packages/", import.meta.url);
const load = (path) => import(new URL(path, packages));
const { createOptimizer, ...rules } = await load("core/dist/index.js");
const { fromOptax } = await load("core/dist/interop/index.js");
const { oracle } = await load("core/dist/reference.js");
const { cpuJs } = await load("cpu-js/dist/index.js");
const { writeOptax } = await load("checkpoint/dist/bridges/optax/index.js");
const { decodeSafetensors } = await load("checkpoint/dist/safetensors/index.js");

const [, , label = "f32", out = "."] = process.argv;
// As in make_optax_fixtures.py.
const before = { f32: 20009, f64: 1007 }[label];
const after = 10;

const shapes = { "dense.kernel": [3, 2], "dense.bias": [2], scale: [1] };
const matrices = { "hidden.kernel": [4, 3], "hidden.bias": [3], "wide.kernel": [2, 5] };

/** The optimizers of the fixtures, and forms that Optax has only with another rounding or another state. */
async function optimizers() {
  const folder = new URL("checkpoint/test/fixtures/optax/", packages);
  const files = readdirSync(folder).filter((name) => name.endsWith(`-${label}.safetensors`));
  const found = await Promise.all(
    files.map(async (file) => {
      const { metadata } = await decodeSafetensors(
        await readFile(fileURLToPath(new URL(file, folder))),
      );
      const { name, ...options } = JSON.parse(metadata.get("optimizer"));
      return [file.replace(`-${label}.safetensors`, ""), fromOptax(name, options), name];
    }),
  );
  const { adam, adamw, rmsprop, sgd, chain, clipByGlobalNorm } = rules;
  return [
    ...found,
    ["own-sgd-keras-momentum", sgd({ learningRate: 0.05, momentum: 0.9, nesterov: true })],
    [
      "own-rmsprop-torch-momentum",
      rmsprop({ epsilonMode: "outside", momentum: 0.9, momentumForm: "torch" }),
    ],
    ["own-adam", adam({ epsilonMode: "paper", nesterov: true })],
    ["own-adamw-accumulated", { ...adamw({ epsilonMode: "paper" }), control: { accumulate: 3 } }],
    [
      "own-clipped-adam-l2",
      chain(
        clipByGlobalNorm(1),
        adam({ epsilonMode: "paper", weightDecay: 0.01, weightDecayMode: "l2" }),
      ),
    ],
  ];
}

/** Normal values with few digits, the same in each run: MultiSteps accumulates in f32, with parameters in f64, too. */
function generator(seed) {
  let state = seed;
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return () => Math.round(normal() * 256) / 256;
}

function valuesOf(shapesByName, next) {
  const size = (shape) => shape.reduce((product, length) => product * length, 1);
  return Object.fromEntries(
    Object.entries(shapesByName).map(([name, shape]) => [
      name,
      Float32Array.from({ length: size(shape) }, next),
    ]),
  );
}

mkdirSync(out, { recursive: true });
for (const [id, spec, name] of await optimizers()) {
  const own = id === "muon" ? matrices : shapes;
  const next = generator(7);
  const backend = label === "f64" ? oracle() : cpuJs();
  const first = valuesOf(own, next);
  const tensors = Object.fromEntries(
    Object.keys(own).map((one) => [one, backend.tensor(own[one], Array.from(first[one]))]),
  );
  const optimizer = createOptimizer(spec, tensors);
  const read = async () =>
    Object.fromEntries(
      await Promise.all(
        Object.keys(own).map(async (one) => [
          one,
          { shape: own[one], values: (await tensors[one].read()).slice() },
        ]),
      ),
    );
  for (let i = 0; i < before; i += 1) {
    const gradients = valuesOf(own, next);
    if (id.startsWith("apply_if_finite") && i === before - 2) gradients.scale[0] = Number.NaN;
    optimizer.step(gradients);
  }
  const source = {
    config: optimizer.config(),
    state: await optimizer.state(),
    parameters: await read(),
  };
  const chunks = [];
  for await (const chunk of writeOptax(source, { name })) chunks.push(chunk.slice());
  writeFileSync(`${out}/${id}-${label}.safetensors`, Buffer.concat(chunks));
  const plain = (values) =>
    Object.fromEntries(Object.entries(values).map(([one, array]) => [one, Array.from(array)]));
  const steps = [];
  for (let i = 0; i < after; i += 1) {
    const gradients = valuesOf(own, next);
    optimizer.step(gradients);
    const parameters = Object.fromEntries(
      Object.entries(await read()).map(([one, { values }]) => [one, values]),
    );
    steps.push({ gradients: plain(gradients), parameters: plain(parameters) });
  }
  writeFileSync(`${out}/${id}-${label}.json`, JSON.stringify(steps));
}
