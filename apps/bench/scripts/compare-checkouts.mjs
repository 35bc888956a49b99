// The speed of rules in two checkouts, both built: medians of interleaved steps, and their ratio.
//
//   node apps/bench/scripts/compare-checkouts.mjs ../before . --rules adam,sgd --size 100000 --rounds 301
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rules: {
      type: "string",
      default: "adam,adamw,adamax,nadam,rmsprop,adagrad,sgd,lion",
    },
    size: { type: "string", default: "100000" },
    rounds: { type: "string", default: "301" },
  },
});
if (positionals.length !== 2) {
  console.error("Got other arguments; expected the folders of two checkouts: BEFORE AFTER.");
  process.exit(2);
}
const size = Number(values.size);
const rounds = Number(values.rounds);
/** A turn takes about this long. */
const turnMs = 2;

/** @param {string} folder @param {string} name */
const load = (folder, name) =>
  import(pathToFileURL(resolve(folder, "packages", name, "dist/index.js")).href);

/** The same values in both checkouts. @param {number} seed */
function numbers(seed) {
  let state = seed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** @param {number[]} times */
const median = (times) => [...times].sort((a, b) => a - b)[times.length >> 1];

const checkouts = await Promise.all(
  positionals.map(async (folder) => ({
    core: await load(folder, "core"),
    backends: [
      (await load(folder, "cpu-js")).cpuJs(),
      (await load(folder, "cpu-js")).cpuJs({ exact: true }),
      (await load(folder, "wasm")).wasm(),
    ],
  })),
);

console.log(`${size} values, medians of ${rounds} interleaved turns`);
console.log(
  `${"".padEnd(28)}${"before".padStart(12)}${"after".padStart(12)}${"ratio".padStart(9)}`,
);
for (const rule of values.rules.split(",")) {
  for (let i = 0; i < checkouts[0].backends.length; i += 1) {
    const steps = checkouts.map(({ core, backends }) => {
      const backend = backends[i];
      const optimizer = core.createOptimizer(core[rule](), {
        p: backend.tensor([size], numbers(1)),
      });
      const gradients = [2, 3].map((seed) => ({ p: backend.tensor([size], numbers(seed)) }));
      return () => optimizer.step(gradients[optimizer.iterations % 2]);
    });
    /** @param {() => void} step @param {number} count */
    const turn = (step, count) => {
      const start = performance.now();
      for (let k = 0; k < count; k += 1) step();
      return ((performance.now() - start) * 1e3) / count;
    };
    for (const step of steps) turn(step, 200);
    const count = Math.max(1, Math.round((turnMs * 1e3) / turn(steps[0], 20)));
    /** @type {number[][]} */
    const times = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      // Who is first changes, because the second finds the caches as the first left them.
      const order = round % 2 === 0 ? [0, 1] : [1, 0];
      for (const one of order) times[one].push(turn(steps[one], count));
    }
    const [before, after] = times.map(median);
    const name = `${rule}, ${checkouts[0].backends[i].name}`;
    console.log(
      `${name.padEnd(28)}${before.toFixed(1).padStart(9)} µs${after.toFixed(1).padStart(9)} µs${(after / before).toFixed(3).padStart(9)}`,
    );
  }
}
