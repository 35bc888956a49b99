/** The longer side of a picture is at most this many times the shorter one. */
const greatestRatio = 16;

/** Why splats cannot be fitted to a file, as a sentence with what to do; undefined if they can. */
export async function pictureProblem(file: File): Promise<string | undefined> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return `${file.name} cannot be read: it is damaged, or not a PNG, JPEG, WebP, AVIF or GIF. Save pictures of other kinds, such as SVG or HEIC, as PNG first.`;
  }
  const { width, height } = bitmap;
  bitmap.close();
  if (Math.max(width, height) <= greatestRatio * Math.min(width, height)) return undefined;
  return `${file.name} has ${width} × ${height} pixels. Crop it: one side may be at most ${greatestRatio} times as long as the other.`;
}
