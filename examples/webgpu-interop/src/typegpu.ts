import type { WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import tgpu, { type TgpuBuffer, type TgpuRoot } from "typegpu";
import * as d from "typegpu/data";

/** A point: its position has three values, and its opacity is where WGSL would leave padding. */
export const Point = d.struct({ position: d.vec3f, opacity: d.f32 });

/** An array of points, and the structs of the same form that hold gradients. */
export const pointArray = (count: number) => d.arrayOf(Point, count);
type PointBuffer = TgpuBuffer<ReturnType<typeof pointArray>>;

/** An array of points as a tensor with a row of four values per point. */
export function pointTensor(backend: WebGpu, root: TgpuRoot, buffer: PointBuffer): WebGpuTensor {
  return backend.wrap(root.unwrap(buffer), { shape: [buffer.dataType.elementCount, 4] });
}

const layout = tgpu.bindGroupLayout({
  points: { storage: d.arrayOf(Point), access: "readonly" },
  targets: { storage: d.arrayOf(Point), access: "readonly" },
  gradients: { storage: d.arrayOf(Point), access: "mutable" },
});

/** The gradient of half the squared distance to the targets. */
const distanceGradient = tgpu
  .computeFn({ in: { id: d.builtin.globalInvocationId }, workgroupSize: [64] })(/* wgsl */ `{
    if (in.id.x >= arrayLength(&layout.$.points)) { return; }
    let point = layout.$.points[in.id.x];
    let goal = layout.$.targets[in.id.x];
    layout.$.gradients[in.id.x].position = point.position - goal.position;
    layout.$.gradients[in.id.x].opacity = point.opacity - goal.opacity;
  }`)
  .$uses({ layout });

/** Returns a function that records the computation of the gradients into an encoder or a pass of the caller. */
export function gradientShader(
  root: TgpuRoot,
  points: PointBuffer,
  targets: PointBuffer,
  gradients: PointBuffer,
): (target: GPUCommandEncoder | GPUComputePassEncoder) => void {
  const bindGroup = root.createBindGroup(layout, {
    points: points.$usage("storage"),
    targets: targets.$usage("storage"),
    gradients: gradients.$usage("storage"),
  });
  const pipeline = root.createComputePipeline({ compute: distanceGradient }).with(bindGroup);
  const workgroups = Math.ceil(points.dataType.elementCount / 64);
  return (target) => {
    const bound = "dispatchWorkgroups" in target ? pipeline.with(target) : pipeline.with(target);
    bound.dispatchWorkgroups(workgroups);
  };
}
