/** Numbers from 0 up to, but without, a bound; the same ones for the same seed (mulberry32). */
export type Random = (bound: number) => number;

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b_79f5) >>> 0;
    let word = Math.imul(state ^ (state >>> 15), state | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return Math.floor((((word ^ (word >>> 14)) >>> 0) / 2 ** 32) * bound);
  };
}

/** A file with this header, of text or of bytes, and with zeros as its data. */
export function fileOf(header: string | Uint8Array, dataLength: number): Uint8Array<ArrayBuffer> {
  const bytes = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + bytes.length + dataLength);
  new DataView(file.buffer).setBigUint64(0, BigInt(bytes.length), true);
  file.set(bytes, 8);
  return file;
}

const numbers = [
  ..."0 1 2 3 4 8 16 32 -0 -1 00 01 1.0 1.5 1e0 1E2 1e400 -1e400 1e-400 0x10 +1 .5 5. NaN Infinity".split(
    " ",
  ),
  ..."255 65536 4294967295 4294967296 2147483648 9007199254740991 9007199254740992".split(" "),
  ..."9007199254740993 0.99999999999999999 9223372036854775807 9223372036854775808".split(" "),
  ..."18446744073709551615 18446744073709551616 123456789012345678901234567890".split(" "),
  "1".repeat(400),
];
const strings = [
  ...'"" "a" "b" "w" "dtype" "shape" "data_offsets" "__metadata__" "__proto__" "constructor"'.split(
    " ",
  ),
  ...'"toString" "gradstep.digest" "F32" "F64" "F16" "BF16" "U8" "BOOL" "F4" "F6_E2M3" "C64" "f32" "I4"'.split(
    " ",
  ),
  ...String.raw`"\ud800" "\udc00\ud800" "\ud83d\ude00" "\u0061" "\u0000" "\x41" "\u12" "\" "__metadat\u005f_"`.split(
    " ",
  ),
  '"é😀"',
  '"\u0001"',
  '"a\nb"',
];
const values = [
  ...'null true false {} [] [[]] [0] [0,1] [0,4] [1,2,3] {"a":1} {"a":"b"} ["U8",[1],[0,1]]'.split(
    " ",
  ),
  '{"U8":null}',
  '{"dtype":"U8","shape":[1],"data_offsets":[0,1]}',
  '{"dtype":"U8","shape":[0],"data_offsets":[0,0]}',
];
const punctuation = [
  ...'{ } [ ] , : " \\'.split(" "),
  " ",
  "\t",
  "\n",
  "\r",
  "\u00a0",
  "\ufeff",
  "\0",
  "/**/",
  "",
];

function one<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)];
}

/** A file that is malformed, except in rare cases, made from a valid one or from nothing. */
export function malformedFile(
  random: Random,
  valid: readonly Uint8Array<ArrayBuffer>[],
): Uint8Array<ArrayBuffer> {
  const base = one(random, valid);
  switch (random(8)) {
    case 0:
      return withFlippedBits(random, base);
    case 1:
      return withOtherBytes(random, base);
    case 2:
      return base.slice(0, random(base.length));
    case 3:
    case 4:
      return withOtherTokens(random, base);
    case 5:
      return made(random);
    case 6:
      return nested(random);
    default:
      return fileOf(randomBytes(random, random(64)), random(16));
  }
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random(256));
}

function withFlippedBits(random: Random, base: Uint8Array): Uint8Array<ArrayBuffer> {
  const file = base.slice();
  for (let count = 1 + random(4); count > 0; count--) file[random(file.length)] ^= 1 << random(8);
  return file;
}

/** Bytes replaced, removed, repeated or inserted. */
function withOtherBytes(random: Random, base: Uint8Array): Uint8Array<ArrayBuffer> {
  const at = random(base.length);
  const before = base.subarray(0, at);
  const removed = random(12);
  const inserted =
    random(2) === 0 ? randomBytes(random, random(12)) : base.subarray(at, at + random(12));
  const after = base.subarray(at + removed);
  return Uint8Array.from([...before, ...inserted, ...after]);
}

/** The header's text cut into tokens, some of which are replaced, removed, repeated or swapped. */
function withOtherTokens(random: Random, base: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = Number(new DataView(base.buffer, base.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder().decode(base.subarray(8, 8 + length));
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|\d+|\s+|./gsu) ?? [];
  for (let count = 1 + random(3); count > 0; count--) {
    const at = random(tokens.length);
    switch (random(6)) {
      case 0:
        tokens.splice(at, 1);
        break;
      case 1:
        tokens.splice(at, 0, ...tokens.slice(at, at + random(14)));
        break;
      case 2:
        tokens.splice(at, 0, one(random, punctuation));
        break;
      case 3: {
        const other = random(tokens.length);
        [tokens[at], tokens[other]] = [tokens[other], tokens[at]];
        break;
      }
      default:
        tokens[at] = token(random, tokens[at]);
    }
  }
  const header = new TextEncoder().encode(tokens.join(""));
  const file = fileOf(header, base.length - 8 - length);
  file.set(base.subarray(8 + length), 8 + header.length);
  return file;
}

function token(random: Random, old = ""): string {
  if (random(8) === 0) return one(random, values);
  return /^\d/.test(old) ? one(random, numbers) : one(random, strings);
}

/** A header with some tensors whose fields are taken from lists of bad and good values. */
function made(random: Random): Uint8Array<ArrayBuffer> {
  const fields: string[] = [];
  let end = 0;
  for (let count = random(4); count > 0; count--) {
    const size = random(5);
    // Most tensors are good, so that what follows them is read.
    const bad = random(20);
    const shape = bad === 0 ? `[${one(random, numbers)},${one(random, numbers)}]` : `[${size}]`;
    const start = bad === 1 ? one(random, numbers) : bad === 2 ? String(random(8)) : String(end);
    const stop = bad === 3 ? one(random, numbers) : String(end + size);
    const dtype = bad === 4 ? one(random, strings) : '"U8"';
    const parts = [`"dtype":${dtype}`, `"shape":${shape}`, `"data_offsets":[${start},${stop}]`];
    if (bad === 5) parts[random(4)] = `${one(random, strings)}:${one(random, values)}`;
    if (bad === 6) parts.push(one(random, parts));
    const name = random(4) === 0 ? one(random, strings) : `"${random(5)}"`;
    fields.push(`${name}:{${parts.join(",")}}`);
    end += size;
  }
  if (random(4) === 0) fields.splice(random(2), 0, `"__metadata__":${one(random, values)}`);
  return fileOf(`{${fields.join(",")}}`, random(4) === 0 ? random(20) : end);
}

/** Arrays and objects in each other, up to far more than a stack holds. */
function nested(random: Random): Uint8Array<ArrayBuffer> {
  const depth = random(50) === 0 ? 100_000 : random(200);
  const open = one(random, ["[", '{"a":', '[{"dtype":', '{"shape":[']);
  return fileOf(one(random, ["", '{"a":', '{"a":{"shape":']) + open.repeat(depth), random(9));
}
