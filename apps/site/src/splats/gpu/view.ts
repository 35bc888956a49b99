import { splatStruct } from "../splat-rows.js";
import { differenceGain, ellipseRadius, zoomOf, type Canvases, type View } from "../view.js";
import { Drawing } from "./drawing.js";
import type { Renderer } from "./renderer.js";
import type { SplatBuffers } from "./splat-buffers.js";
import { tilingConstants, type Tiling } from "./tiles.js";

/** Draws a color per pixel of the picture. */
const pixelsCode = (tiling: Tiling, zoom: number): string => /* wgsl */ `
${tilingConstants(tiling)}
@group(0) @binding(0) var<storage, read> image: array<vec4f>;
@group(0) @binding(1) var<storage, read> picture: array<vec4f>;

// A triangle that covers the canvas.
@vertex
fn cover(@builtin(vertex_index) vertex: u32) -> @builtin(position) vec4f {
  return vec4f(select(-1f, 3f, vertex == 1), select(-1f, 3f, vertex == 2), 0, 1);
}

fn pixel_at(position: vec4f) -> u32 {
  let at = min(vec2u(position.xy) / ${zoom}, size - 1);
  return at.y * size.x + at.x;
}

@fragment
fn show_picture(@builtin(position) position: vec4f) -> @location(0) vec4f {
  return vec4f(picture[pixel_at(position)].rgb, 1);
}

@fragment
fn show_image(@builtin(position) position: vec4f) -> @location(0) vec4f {
  return vec4f(image[pixel_at(position)].rgb, 1);
}

@fragment
fn show_difference(@builtin(position) position: vec4f) -> @location(0) vec4f {
  let pixel = pixel_at(position);
  return vec4f(${differenceGain} * abs(image[pixel].rgb - picture[pixel].rgb), 1);
}
`;

/** Draws each splat as an ellipse with an outline. One instance per row, of six vertices. */
const ellipsesCode = (tiling: Tiling): string => /* wgsl */ `
${splatStruct}${tilingConstants(tiling)}
@group(0) @binding(0) var<storage, read> count: u32;
@group(0) @binding(1) var<storage, read> splats: array<Splat>;

struct Vertex {
  @builtin(position) position: vec4f,
  @location(0) corner: vec2f,
  @location(1) color: vec4f,
}

@vertex
fn place_corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) row: u32) -> Vertex {
  if (row >= count) { return Vertex(); }
  let splat = splats[row];
  let corner = vec2f(
    select(-1f, 1f, vertex == 1 || vertex == 2 || vertex == 4),
    select(-1f, 1f, vertex == 2 || vertex == 4 || vertex == 5),
  );
  let along = splat.rotation;
  let extent = ${ellipseRadius} * corner * splat.scale;
  let at = splat.position + extent.x * along + extent.y * vec2f(-along.y, along.x);
  let place = vec2f(2, -2) * at / vec2f(size) + vec2f(-1, 1);
  return Vertex(vec4f(place, 0, 1), corner, vec4f(splat.color, splat.opacity));
}

@fragment
fn paint_ellipse(vertex: Vertex) -> @location(0) vec4f {
  let distance = length(vertex.corner);
  let width = fwidth(distance);
  let inside = 1 - smoothstep(1 - width, 1, distance);
  let outline = smoothstep(1 - 2.5 * width, 1 - 1.5 * width, distance);
  let alpha = inside * mix(0.35, 1, vertex.color.a);
  return vec4f(vertex.color.rgb * (1 - 0.45 * outline) * alpha, alpha);
}
`;

/** Shows the buffers of a training on canvases, without reading them back. */
export class GpuView implements View {
  readonly #device: GPUDevice;
  readonly #splats: SplatBuffers;
  readonly #contexts: Readonly<Record<keyof Canvases, GPUCanvasContext>>;
  readonly #pixels: Readonly<Record<keyof Canvases, Drawing>>;
  readonly #ellipses: Drawing;

  constructor(canvases: Canvases, splats: SplatBuffers, renderer: Renderer) {
    const { device, count, activated } = splats;
    const { image, picture, tiling } = renderer;
    const zoom = zoomOf(tiling.width);
    const format = navigator.gpu.getPreferredCanvasFormat();
    this.#device = device;
    this.#splats = splats;
    const prepare = (canvas: OffscreenCanvas): GPUCanvasContext => {
      canvas.width = zoom * tiling.width;
      canvas.height = zoom * tiling.height;
      const context = canvas.getContext("webgpu") as GPUCanvasContext;
      context.configure({ device, format });
      return context;
    };
    this.#contexts = {
      picture: prepare(canvases.picture),
      fit: prepare(canvases.fit),
      difference: prepare(canvases.difference),
    };
    const code = pixelsCode(tiling, zoom);
    const pixels = device.createShaderModule({ label: "pixels", code });
    const drawing = (fragment: string, buffers: readonly (GPUBuffer | undefined)[]): Drawing =>
      new Drawing(device, { module: pixels, vertex: "cover", fragment, format }, buffers);
    this.#pixels = {
      picture: drawing("show_picture", [undefined, picture]),
      fit: drawing("show_image", [image]),
      difference: drawing("show_difference", [image, picture]),
    };
    const ellipses = device.createShaderModule({ label: "ellipses", code: ellipsesCode(tiling) });
    this.#ellipses = new Drawing(
      device,
      { module: ellipses, vertex: "place_corner", fragment: "paint_ellipse", format },
      [count, activated],
    );
    const encoder = device.createCommandEncoder();
    this.#show(encoder, "picture", this.#pixels.picture);
    device.queue.submit([encoder.finish()]);
  }

  draw(ellipses: boolean): void {
    const encoder = this.#device.createCommandEncoder();
    if (ellipses) this.#show(encoder, "fit", this.#ellipses, 6, this.#splats.capacity);
    else this.#show(encoder, "fit", this.#pixels.fit);
    this.#show(encoder, "difference", this.#pixels.difference);
    this.#device.queue.submit([encoder.finish()]);
  }

  #show(
    encoder: GPUCommandEncoder,
    canvas: keyof Canvases,
    drawing: Drawing,
    vertices = 3,
    instances = 1,
  ): void {
    const view = this.#contexts[canvas].getCurrentTexture().createView();
    drawing.encode(encoder, view, vertices, instances);
  }
}
