import { describe, expect, test } from "vitest";
import type { Tensor } from "../src/backend/backend.js";
import type { OptimizerOptions } from "../src/optimizer/optimizer.js";
import { reference } from "../src/reference.js";
import { adam } from "../src/rules/adam.js";
import { gradientsOf, start, type Run } from "./guarded-runs.js";
import { guarding, type DeviceBackend } from "./guarding-backend.js";
import type { Target } from "./host-guard.js";

/** A mask of the rows of `w`, and whether it is in memory that the host does not see. */
type Mask = readonly [rows: readonly number[], isOnDevice?: boolean] | undefined;

const masks: readonly (readonly Mask[])[] = [
  [
    [[1, 0, 0, 0, 0], true],
    [[0, 0, 1, 0, 0], true],
    [[0, 0, 1, 1, 0], true],
  ],
  [[[0, 7, 0, 0, 0]], [[1, 0, 0, 0, 0], true], [[0, 0, 0, 1, 0]]],
  [[[0, 1, 0, 0, 0], true], [[1, 0, 0, 0, 0]], [[0, 0, 0, 0, 1]]],
  [[[0, 1, 0, 0, 0]], [[1, 0, 0, 0, 0]], [[0, 0, 0, 2, 0], true]],
  [[[0, 1, 0, 0, 0], true], undefined, [[0, 0, 0, 1, 0], true]],
  [undefined, [[0, 1, 0, 0, 0], true], [[0, 0, 0, 1, 0]]],
  [
    [[0, 0, 0, 0, 0], true],
    [[0, 0, 0, 0, 0], true],
    [[0, 0, 0, 0, 4], true],
  ],
  [[[0, 1, 0, 0, 1]], [[0, 1, 1, 0, 0]], [[0, 1, 0, 0, 0]]],
];

interface Both {
  readonly device: Run & { readonly backend: DeviceBackend };
  readonly plain: Run;
}

function startBoth(options: OptimizerOptions = { accumulate: 3 }): Both {
  const backend = guarding();
  const device = { ...start(backend, adam(), options), backend };
  return { device, plain: start(reference(), adam(), options) };
}

function hiddenMask(backend: DeviceBackend, rows: readonly number[]): Tensor {
  const memory = Uint32Array.from(rows);
  return backend.hide(backend.wrap(memory, { shape: [memory.length] }));
}

/** A call of both with gradients of `w` and a mask. */
function take({ device, plain }: Both, seed: number, mask: Mask): void {
  const { w } = gradientsOf(seed);
  if (mask === undefined) {
    device.optimizer.step({ w });
    plain.optimizer.step({ w });
    return;
  }
  const [rows, isOnDevice = false] = mask;
  const array = Uint32Array.from(rows);
  const ofDevice = isOnDevice ? hiddenMask(device.backend, rows) : array;
  device.optimizer.step({ w }, { rows: { w: ofDevice } });
  plain.optimizer.step({ w }, { rows: { w: array } });
}

/** Everything that a call may change. */
async function contentOf({ optimizer, parameters }: Run): Promise<unknown> {
  const values = await parameters.w.read();
  const { iterations, slots, control } = await optimizer.state();
  // Masks are for whether, not for what.
  const rows = control?.rows.w === undefined ? undefined : Array.from(control.rows.w, Boolean);
  return structuredClone({ iterations, slots, accumulated: control?.accumulated, rows, values });
}

describe("masks that the host does not see are combined over the calls of a step", () => {
  test.each(masks.map((step, i) => [i, step] as const))("%i", async (i, step) => {
    const both = startBoth();
    // The same step twice: nothing is left of the first.
    for (let round = 0; round < 2; round += 1)
      for (const [call, mask] of step.entries()) {
        take(both, 10 * i + 3 * round + call, mask);
        expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
      }
  });

  test("with steps of all kinds in a row", async () => {
    const both = startBoth();
    masks.flat().forEach((mask, seed) => take(both, seed, mask));
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
  });

  test("a state between two calls is restored on a host and on a device", async () => {
    const both = startBoth();
    take(both, 1, [[1, 0, 0, 1, 0], true]);
    take(both, 2, [[0, 0, 0, 1, 1]]);
    const state = await both.device.optimizer.state();
    const values = await both.device.parameters.w.read();
    const next = startBoth();
    // Other rows are selected before.
    take(next, 3, [[0, 1, 1, 0, 0], true]);
    for (const { optimizer, parameters } of [next.device, next.plain]) {
      parameters.w.write(values);
      optimizer.restore(state);
    }
    expect(await contentOf(next.device)).toEqual(await contentOf(next.plain));
    for (const one of [both, next]) take(one, 4, [[0, 0, 0, 0, 1], true]);
    expect(await contentOf(next.device)).toEqual(await contentOf(next.plain));
    expect(await next.device.parameters.w.read()).toEqual(await both.plain.parameters.w.read());
  });

  test("rows that move between two calls take their selection along", async () => {
    for (const isOnDevice of [true, false]) {
      const both = startBoth();
      take(both, 1, [[1, 0, 0, 1, 0], isOnDevice]);
      const indices = Uint32Array.of(3, 1, 0xffff_ffff, 0);
      for (const { optimizer } of [both.device, both.plain]) {
        optimizer.rows(["w"]).remap(indices);
        const more = { rows: { w: Uint32Array.of(0, 0, 0, 0) } };
        const w = gradientsOf(2).w.subarray(0, 16);
        optimizer.step({ w }, more);
        optimizer.step({ w }, more);
      }
      expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    }
  });

  test("rows of arrays are handed over to a step that is recorded", async () => {
    for (const isOnDevice of [false, true]) {
      const both = startBoth();
      const { device, plain } = both;
      take(both, 1, [[1, 0, 0, 0, 0], isOnDevice]);
      take(both, 2, [[0, 0, 0, 2, 0]]);
      const { w } = gradientsOf(3);
      const rows = [1, 0, 0, 0, 1];
      plain.optimizer.step({ w }, { rows: { w: Uint32Array.from(rows) } });
      const gradient = device.optimizer.gradient("w");
      gradient.write(w);
      const target: Target = [];
      const options = { rows: { w: hiddenMask(device.backend, rows) } };
      device.optimizer.encode(target, { w: gradient }, options);
      device.backend.submit(target);
      expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
      take(both, 4, [[0, 1, 0, 0, 0]]);
      expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    }
  });

  test("also if the recorded call has gradients of others alone", async () => {
    const both = startBoth();
    const { device, plain } = both;
    for (const seed of [1, 2]) take(both, seed, [[seed, 0, 0, 1, 0]]);
    const { b } = gradientsOf(3);
    plain.optimizer.step({ b });
    const gradient = device.optimizer.gradient("b");
    gradient.write(b);
    const target: Target = [];
    device.optimizer.encode(target, { b: gradient });
    device.backend.submit(target);
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    expect(await device.parameters.b.read()).toEqual(await plain.parameters.b.read());
    for (const seed of [4, 5, 6]) take(both, seed, [[0, 1, 0, 0, 0]]);
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
  });

  test("rows of one parameter do not select those of another", async () => {
    const both = startBoth({ accumulate: 2 });
    for (const { optimizer, backend } of [both.device, both.plain]) {
      const mask = Uint32Array.of(0, 1, 0, 0, 0);
      const ofW =
        backend === both.plain.backend ? mask : hiddenMask(both.device.backend, [...mask]);
      for (const seed of [1, 2]) optimizer.step(gradientsOf(seed), { rows: { w: ofW } });
    }
    expect(await contentOf(both.device)).toEqual(await contentOf(both.plain));
    expect(await both.device.parameters.b.read()).toEqual(await both.plain.parameters.b.read());
  });
});

test("a device that cannot combine masks refuses them at once", () => {
  const both = startBoth();
  const { device } = both;
  device.backend.maskOf = undefined!;
  const rows = { w: hiddenMask(device.backend, [1, 0, 0, 0, 0]) };
  const { w } = gradientsOf(1);
  expect(() => device.optimizer.step({ w }, { rows })).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED" }),
  );
  take(both, 2, [[1, 0, 0, 0, 0]]);
  take(both, 3, [[0, 1, 0, 0, 0]]);
  const gradient = device.optimizer.gradient("w");
  expect(() => device.optimizer.encode([], { w: gradient })).toThrow(
    expect.objectContaining({ code: "UNSUPPORTED" }),
  );
});
