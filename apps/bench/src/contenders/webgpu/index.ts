import type { Contender } from "../contender.js";
import { copy } from "./copy.js";
import { wgsl } from "./wgsl.js";
import { tfjsFused, tfjsWebgpu } from "./tfjs-webgpu.js";
import { webgpu } from "./webgpu.js";

/** All contenders on the GPU, in the order of their turns. */
export const gpuContenders: readonly Contender[] = [copy, wgsl, webgpu, tfjsWebgpu, tfjsFused];
