/** Three significant digits, or all before the point: 0.123, 12.3, 1,234. */
function digits(value: number): string {
  const places = value === 0 ? 0 : Math.max(0, Math.min(3, 2 - Math.floor(Math.log10(value))));
  return value.toLocaleString("en-US", {
    minimumFractionDigits: places,
    maximumFractionDigits: places,
  });
}

/** A time in the unit that suits it: `12.3 µs`. */
export function time(ns: number): string {
  if (ns < 1e3) return `${digits(ns)} ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${digits(ns / 1e6)} ms`;
  return `${digits(ns / 1e9)} s`;
}

/** A ratio: `0.50×`, `0.0031×`. */
export function ratio(value: number): string {
  return `${value < 1 ? value.toPrecision(2) : digits(value)}×`;
}

/** How many times faster, from the ratio of times: `31×`. */
export function speedup(value: number): string {
  return ratio(1 / value);
}

/** A share: `93 %`, `0.4 %`. */
export function percent(share: number): string {
  return `${digits(100 * share)} %`;
}

/** Bytes, in units that suit: `8 B`, `12.3 kB`. */
export function bytes(value: number): string {
  if (value < 1e3) return `${Math.round(value)} B`;
  if (value < 1e6) return `${digits(value / 1e3)} kB`;
  return `${digits(value / 1e6)} MB`;
}

/** A whole number with separators: `5,303,224`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
