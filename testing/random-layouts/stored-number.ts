import type { Random } from "./random.js";
import type { Dtype } from "./structs.js";

/** A stored number and the value that it stands for. */
export function randomStored(random: Random, dtype: Dtype, scale: number): [number, number] {
  if (dtype === "f16") {
    const bits = random.below(2) * 0x8000 + random.below(0x4400);
    const exponent = (bits & 0x7fff) >> 10;
    const fraction = (bits & 0x3ff) / 1024;
    const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15);
    return [bits, bits >= 0x8000 ? -magnitude : magnitude];
  }
  if (dtype === "u32" || dtype === "i32") {
    const whole = random.below(2 ** random.below(32));
    const stored = dtype === "i32" && random.chance(50) ? -Math.floor(whole / 2) : whole;
    const signed = dtype === "i32" ? stored | 0 : stored;
    return [signed, Math.fround(Math.fround(signed) * Math.fround(scale))];
  }
  const value = random.value();
  return [value, value];
}
