import { expect, test } from "vitest";
import { workgroupGridOf } from "../src/planning/dispatch/workgroup-grid.js";
import { BindGroups, type DispatchBindings } from "../src/commands/bind-groups.js";

const device = { createBindGroup: () => ({}) } as unknown as GPUDevice;
const newBuffer = (): GPUBuffer => ({}) as GPUBuffer;

/** A dispatch whose kernel uses a scratch buffer, or none. */
function dispatchOf(usesScratch: boolean): DispatchBindings["dispatch"] {
  const kernel = { bindGroupLayout: {}, usesScratch, scalarSetLength: 4 };
  const range = { buffer: newBuffer(), offset: 0, size: 16 };
  return {
    kernel,
    bindings: [range],
    tableRange: range,
  } as unknown as DispatchBindings["dispatch"];
}

test("a bind group is shared by dispatches with the same scratch buffer, and by no others", () => {
  const groups = new BindGroups(device, "test");
  const scalars = newBuffer();
  const [small, grown] = [newBuffer(), newBuffer()];
  const dispatch = dispatchOf(true);
  const first = groups.acquire({ dispatch, scalars, scratch: small });
  expect(groups.acquire({ dispatch, scalars, scratch: small })).toBe(first);
  expect(groups.acquire({ dispatch, scalars, scratch: grown })).not.toBe(first);

  const plain = dispatchOf(false);
  const second = groups.acquire({ dispatch: plain, scalars, scratch: small });
  expect(groups.acquire({ dispatch: plain, scalars, scratch: grown })).toBe(second);
});

test("a bind group that nobody uses any more is made again", () => {
  const groups = new BindGroups(device, "test");
  const bindings = { dispatch: dispatchOf(false), scalars: newBuffer(), scratch: undefined };
  const group = groups.acquire(bindings);
  groups.acquire(bindings);
  groups.release(group);
  expect(groups.acquire(bindings)).toBe(group);
  groups.release(group);
  groups.release(group);
  expect(groups.acquire(bindings)).not.toBe(group);
});

test("ranges of other sizes or offsets in the same buffers are bound by groups of their own", () => {
  const groups = new BindGroups(device, "test");
  const scalars = newBuffer();
  const plain = dispatchOf(false);
  const [range] = plain.bindings;
  const dispatches = [{}, { size: 32 }, { offset: 256 }].map((change) => ({
    ...plain,
    bindings: [{ ...range, ...change }],
  }));
  const all = dispatches.map((dispatch) =>
    groups.acquire({ dispatch, scalars, scratch: undefined }),
  );
  expect(new Set(all).size).toBe(3);
});

test("workgroups beyond the limit of a dimension are further rows", () => {
  const limited = { limits: { maxComputeWorkgroupsPerDimension: 3 } } as unknown as GPUDevice;
  expect(workgroupGridOf(limited, 3)).toEqual({ x: 3, y: 1 });
  expect(workgroupGridOf(limited, 7)).toEqual({ x: 3, y: 3 });
});
