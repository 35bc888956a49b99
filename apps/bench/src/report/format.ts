import { threeDigits } from "@gradstep/apps-shared/format";

/** A time in a suitable unit: `12.3 µs`. */
export function time(ns: number): string {
  if (ns < 1e3) return `${threeDigits(ns)} ns`;
  if (ns < 1e6) return `${threeDigits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${threeDigits(ns / 1e6)} ms`;
  return `${threeDigits(ns / 1e9)} s`;
}

/** A fraction as a percentage: `93.1 %`. */
export function percent(fraction: number): string {
  return `${threeDigits(100 * fraction)} %`;
}

/** Bytes in a suitable unit: `8 B`, `12.3 kB`. */
export function bytes(value: number): string {
  if (value < 1e3) return `${Math.round(value)} B`;
  if (value < 1e6) return `${threeDigits(value / 1e3)} kB`;
  return `${threeDigits(value / 1e6)} MB`;
}
