/** 0.9642 as `96.4 %`. */
export function percent(share: number, digits: number = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** A loss with four decimals; what is not a number any more, as it is. */
export function lossText(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  return loss < 1000 ? loss.toFixed(4) : loss.toExponential(2);
}

/** Seconds as `0.42 s`, `12.3 s` or `2:05 min`. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  return seconds < 99.95 ? `${seconds.toFixed(1)} s` : `${clock(seconds)} min`;
}

/** Seconds as `1:05`; `-:--` when nobody knows. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-:--";
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** 109386 as `109,386`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}
