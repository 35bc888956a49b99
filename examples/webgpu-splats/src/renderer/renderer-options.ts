export interface RendererOptions {
  /** Width and height of an image in pixels, a multiple of 8. */
  readonly size: number;
  /** In widths of an image. */
  readonly focalLength: number;
  /** The largest number of Gaussians. */
  readonly capacity: number;
}

/** Width and height of a tile in pixels. */
export const tileSize = 8;

/** The number of tiles in a row of an image. */
export const tilesPerSide = ({ size }: RendererOptions): number => size / tileSize;
