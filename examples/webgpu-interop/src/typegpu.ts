import type { WebGpu, WebGpuTensor } from "@gradstep/webgpu";
import tgpu, { type TgpuBuffer, type TgpuRoot } from "typegpu";
import * as d from "typegpu/data";

/** A point: its position has three values, and its opacity is where WGSL would leave padding. */
export const Point = d.struct({ position: d.vec3f, opacity: d.f32 });

/** An array of points, and the structs of the same form that hold gradients. */
export const pointArray = (count: number) => d.arrayOf(Point, count);
type PointBuffer = TgpuBuffer<ReturnType<typeof pointArray>>;

/** Tensors for the fields of an array of points; offsets and strides are those of TypeGPU's schema. */
export function pointTensors(
  backend: WebGpu,
  root: TgpuRoot,
  buffer: PointBuffer,
): { readonly position: WebGpuTensor; readonly opacity: WebGpuTensor } {
  const memory = root.unwrap(buffer);
  const rows = buffer.dataType.elementCount;
  const rowStride = d.sizeOf(Point) / 4;
  const field = (offset: number, shape: readonly number[]): WebGpuTensor =>
    backend.wrap(memory, { shape, offset: offset / 4, rowStride });
  return {
    position: field(d.memoryLayoutOf(Point, (point) => point.position.x).offset, [rows, 3]),
    opacity: field(d.memoryLayoutOf(Point, (point) => point.opacity).offset, [rows]),
  };
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
