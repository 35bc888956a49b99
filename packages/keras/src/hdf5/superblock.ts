import { GradstepError } from "@gradstep/core";

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether bytes begin as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return signature.every((byte, i) => bytes[i] === byte);
}

/**
 * Checks that a file is HDF5 and has the length that its superblock says, so that a file that was cut is found before
 * the library prints its own messages about it.
 * @throws {GradstepError} `INVALID_FILE`
 */
export function checkSuperblock(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!isHdf5(bytes) || bytes.length < 48)
    invalid(
      "it does not begin with a superblock",
      "an HDF5 file such as model.weights.h5; checkpoints of PyTorch and Optax are read with readTorch and readOptax of @gradstep/checkpoint",
    );
  const version = view.getUint8(8);
  if (version > 3) invalid(`its superblock has version ${version}`, "0 to 3");
  const isOld = version < 2;
  if (view.getUint8(isOld ? 13 : 9) !== 8) return;
  const base = isOld ? (version === 0 ? 24 : 28) : 12;
  const end = base + 16;
  const expected = Number(view.getBigUint64(base, true) + view.getBigUint64(end, true));
  if (bytes.length < expected)
    invalid(`it has ${bytes.length} bytes`, `${expected}; the end of the file is missing`);
}

function invalid(got: string, expected: string): never {
  throw new GradstepError(`The HDF5 file is damaged: ${got}; expected ${expected}.`, {
    code: "INVALID_FILE",
  });
}
