import { gpuForTfjs } from "@gradstep/apps-shared/gpu";
import type { WebGpu } from "@gradstep/webgpu";
import { webgpu as webgpuInNode } from "@gradstep/webgpu/node";
import type { Contender } from "../contender.js";
import { copy } from "./copy.js";
import { wgsl } from "./wgsl.js";
import { tfjsFusedWebgpu, tfjsWebgpu } from "./tfjs-webgpu.js";
import { webgpu } from "./webgpu.js";

let backend: Promise<WebGpu> | undefined;

async function device(): Promise<GPUDevice> {
  backend ??= webgpuInNode();
  return (await backend).device;
}

/** All contenders on the GPU that Node finds, in the order of their turns. */
export const gpuContenders: readonly Contender[] = [
  copy(device),
  wgsl(device),
  webgpu(device),
  tfjsWebgpu(gpuForTfjs),
  tfjsFusedWebgpu(gpuForTfjs),
];
