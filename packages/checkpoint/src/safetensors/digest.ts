import { GradstepError } from "@gradstep/core";

/** The name of the tensor that holds the digest of a file. */
export const digestName = "gradstep.digest";

/** Bytes of a SHA-256 digest. */
export const digestLength = 32;

/** Blocks whose hashes can be computed at the same time, while blocks are read or written. */
const maxPending = 4;

/**
 * The digest of a file: SHA-256 of the SHA-256 digests of its blocks, in order. A digest of digests, because WebCrypto cannot
 * hash a stream, and so that several blocks are hashed at once.
 */
export class BlockDigest {
  readonly #subtle = subtleCrypto();
  readonly #digests: Promise<ArrayBuffer>[] = [];

  /**
   * Adds the next block. WebCrypto copies it before this returns, so it can be changed then. Resolves once few enough
   * blocks are being hashed.
   */
  async add(block: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#digests.push(this.#subtle.digest("SHA-256", block));
    await this.#digests.at(-maxPending);
  }

  async finish(): Promise<Uint8Array<ArrayBuffer>> {
    const digests = await Promise.all(this.#digests);
    const joined = new Uint8Array(digests.length * digestLength);
    digests.forEach((digest, i) => joined.set(new Uint8Array(digest), i * digestLength));
    return new Uint8Array(await this.#subtle.digest("SHA-256", joined));
  }
}

function subtleCrypto(): SubtleCrypto {
  // Browsers have it in secure contexts only, whatever the types say.
  const { subtle } = (globalThis.crypto ?? {}) as { subtle?: SubtleCrypto };
  if (subtle === undefined)
    throw new GradstepError(
      'Got no crypto.subtle, with which the digest of a file is computed; expected a secure context. Serve the page over HTTPS or from localhost; in Jest, use testEnvironment: "node".',
      { code: "UNSUPPORTED" },
    );
  return subtle;
}
