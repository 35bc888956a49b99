import type { Picture } from "../picture.js";
import { landscape } from "./landscape.js";

/** A picture that ships, or a file of the visitor. */
export type PictureSource = "landscape" | Blob;

/**
 * The picture of a source, at most `longestSide` pixels wide and high.
 * @throws {DOMException} if a file is no picture
 */
export async function loadPicture(source: PictureSource, longestSide: number): Promise<Picture> {
  if (source === "landscape") return landscape(longestSide, Math.round(0.75 * longestSide));
  const bitmap = await createImageBitmap(source);
  const factor = longestSide / Math.max(bitmap.width, bitmap.height);
  const width = Math.max(1, Math.round(bitmap.width * factor));
  const height = Math.max(1, Math.round(bitmap.height * factor));
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false })!;
  context.imageSmoothingQuality = "high";
  // Behind what is transparent.
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const colors = new Float32Array(3 * width * height);
  for (let i = 0; i < colors.length; i += 1)
    colors[i] = data[4 * Math.floor(i / 3) + (i % 3)] / 255;
  return { width, height, colors };
}
