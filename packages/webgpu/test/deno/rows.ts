import process from "node:process";
import { adam, type RowMove } from "@gradstep/core";
import { rules } from "@gradstep/core/rules";
import { webgpu } from "@gradstep/webgpu";
import { rowFeatures, rowSources } from "../kernel-sources.js";
import { Random } from "../random.js";
import { randomCase, scalarsOf } from "../row-cases.js";
import { RowFixture, type Findings } from "../row-fixture.js";

// Deno runs this program. Its WebGPU is wgpu: kernels compile, random tensors are updated, rows are remapped.
const backend = await webgpu();
const [seed, isFull] = [Number(process.argv[2]), process.argv[3] === "full"];
const refused: string[] = [];
let index = seed;
for (const rule of rules) {
  for (const variant of rule.variants()) {
    index += 1;
    if (!isFull && index % 24 !== 0) continue;
    for (const code of rowSources(variant, rowFeatures)) {
      const module = backend.device.createShaderModule({ code });
      const { messages } = await module.getCompilationInfo();
      refused.push(...messages.map(({ message }) => message));
    }
  }
}

const random = new Random(seed);
const variant = adam().rule.variant();
const found: Findings = { values: 0, copies: 0, outside: 0 };
const rounds = isFull ? 5 : 2;
for (let round = 0; round < rounds; round += 1) {
  const scalars = scalarsOf(variant, random);
  const cases = Array.from({ length: 40 }, () => randomCase(random, scalars));
  const fixture = new RowFixture(backend, variant, random, cases, round === rounds - 1);
  backend.compile(variant).run(fixture.updates, fixture.updates.length);
  const { values, copies, outside } = await fixture.findings();
  found.values += values;
  found.copies += copies;
  found.outside += outside;
}

const tensor = backend.tensor([3, 2], [1, 2, 3, 4, 5, 6]);
const move: RowMove = { tensor, initial: 7, reset: Uint32Array.of(0, 0, 1, 0, 0) };
backend.remap([move], { count: 5, indices: Uint32Array.of(2, 9, 0, 1, 2) });
const rows = Array.from(await tensor.read());
process.stdout.write(`${JSON.stringify({ refused, found, rows })}\n`, () => {
  process.exit(0);
});
