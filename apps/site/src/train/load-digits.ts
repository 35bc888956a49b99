import { decodeDigits, type Digits } from "@gradstep/digits";
import address from "../generated/digits.bin?url";

/** Loads the digits: 1.6 MB. */
export async function loadDigits(): Promise<Digits> {
  const response = await fetch(address);
  if (!response.ok || response.body === null)
    throw new Error(`The digits could not be loaded: ${response.status} ${response.statusText}.`);
  const stream = response.body.pipeThrough(new DecompressionStream("gzip"));
  return decodeDigits(new Uint8Array(await new Response(stream).arrayBuffer()));
}
