import { threeDigits } from "@gradstep/apps-shared/format";

/** 0.9642 as `96.42 %`, NaN as `–`. Accuracies have two decimals everywhere: one held-out digit is 0.05 %. */
export function percent(fraction: number, decimals: number = 2): string {
  return Number.isNaN(fraction) ? "–" : `${(fraction * 100).toFixed(decimals)} %`;
}

/** A loss with four decimals, large ones with an exponent; `NaN` and `Infinity` as they are. */
export function lossText(loss: number): string {
  if (!Number.isFinite(loss)) return String(loss);
  return loss < 1000 ? loss.toFixed(4) : exponential(loss);
}

/** A learning rate with three digits: `0.003`, `2.5e-5`. */
export function rateText(rate: number): string {
  const short = Number(rate.toPrecision(3));
  return short !== 0 && Math.abs(short) < 1e-4 ? exponential(short) : String(short);
}

/** Seconds, always in seconds: `0.421 s`, `12.3 s`, `125 s`. */
export function duration(seconds: number): string {
  return `${threeDigits(seconds)} s`;
}

/** The time of a step, always in milliseconds: `0.312 ms`. `–` if there is none. */
export function milliseconds(seconds: number): string {
  return Number.isNaN(seconds) ? "–" : `${threeDigits(seconds * 1000)} ms`;
}

/** The remaining time as `1:05`; `-:--` if it is unknown. */
export function clock(seconds: number): string {
  if (!Number.isFinite(seconds)) return "-:--";
  const whole = Math.ceil(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** A number for an axis in at most six characters: `2.4`, `0.038`, `1.2e12`. */
export function axisNumber(value: number, digits: number = 2): string {
  const short = String(Number(value.toPrecision(digits)));
  return short.length <= 6 ? short : exponential(value);
}

function exponential(value: number): string {
  return value.toExponential(1).replace("e+", "e").replace(".0e", "e");
}
