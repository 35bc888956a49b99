import { writeFileSync } from "node:fs";
import { crc32, deflateSync } from "node:zlib";

function chunk(type: string, data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(12 + data.length);
  bytes.writeUInt32BE(data.length, 0);
  bytes.write(type, 4, "latin1");
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.length)), 8 + data.length);
  return bytes;
}

/** Writes rows of square RGBA images, whose values are between 0 and 1, as a PNG file. @param scale Pixels of the file per pixel. */
export function writePng(
  file: string,
  rows: readonly Float32Array[],
  size: number,
  columns: number,
  scale = 2,
): void {
  const [width, height] = [columns * size * scale, rows.length * size * scale];
  const pixels = Buffer.alloc(height * (1 + 3 * width));
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const [imageY, imageX] = [Math.floor(y / scale), Math.floor(x / scale)];
      const column = Math.floor(imageX / size);
      const source = 4 * ((column * size + (imageY % size)) * size + (imageX % size));
      const image = rows[Math.floor(imageY / size)];
      for (let channel = 0; channel < 3; channel += 1) {
        const value = Math.round(255 * Math.min(1, Math.max(0, image[source + channel])));
        pixels[y * (1 + 3 * width) + 1 + 3 * x + channel] = value;
      }
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2], 8);
  writeFileSync(
    file,
    Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk("IHDR", header),
      chunk("IDAT", deflateSync(pixels, { level: 9 })),
      chunk("IEND", Buffer.alloc(0)),
    ]),
  );
}
