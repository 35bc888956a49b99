import type { Tensor } from "@gradstep/core";
import type { BindingRange } from "../planning/dispatch/dispatch.js";
import type { SignalBlocks } from "../planning/scalars/signal-blocks.js";
import { scalarWord, signalHeader } from "../shaders/signal-kernel.js";
import type { IndirectDispatches } from "./indirect-dispatches.js";

/** Where a signal is: a valid range of a binding, and the index of the value in it. */
export interface SignalRange extends BindingRange {
  readonly index: number;
}

/** A step whose signals are on the device. */
export interface SignaledStep {
  readonly dispatches: IndirectDispatches;
  readonly hostBlocks: SignalBlocks;
  /** The learning rate on the device that a set of scalars depends on; undefined for none. */
  readonly rateOf: (set: Float64Array) => Tensor | undefined;
  readonly scale: SignalRange | undefined;
  readonly skip: SignalRange | undefined;
}

/** One of the learning rates of a step. */
interface SignaledRate {
  /** Undefined if no learning rate is on the device. */
  readonly rate: Tensor | undefined;
  readonly range: SignalRange | undefined;
  /** Whether its dispatch also finds everything that does not depend on a rate. */
  readonly isFirst: boolean;
}

/** The table of the dispatch that finds the scalars for one learning rate. */
export function signalTable(
  { dispatches, hostBlocks, rateOf, scale, skip }: SignaledStep,
  { rate, range, isFirst }: SignaledRate,
): Uint32Array<ArrayBuffer> {
  const scaleSource = scale === undefined ? "host" : "scale";
  const words = [...dispatches.blocks.sets()].flatMap(({ set, count, start, scaleStart }) => {
    const own = rateOf(set);
    const isIncluded = own === undefined ? isFirst : own === rate;
    const source = own === undefined ? "host" : "rate";
    return [
      ...Array.from({ length: isIncluded ? count : 0 }, (_, i) => scalarWord(start + i, source)),
      ...(isFirst && scaleStart !== undefined ? [scalarWord(scaleStart, scaleSource)] : []),
    ];
  });
  const skips = skip !== undefined && isFirst;
  const header: Readonly<Record<(typeof signalHeader)[number], number>> = {
    scalar_count: words.length,
    dispatch_count: skips ? dispatches.count : 0,
    slopes_start: hostBlocks.slopesStart,
    scale_index: scale?.index ?? 0,
    skip_index: skip?.index ?? 0,
    rate_index: range?.index ?? 0,
  };
  return Uint32Array.from([
    ...signalHeader.map((name) => header[name]),
    ...words,
    ...(skips ? dispatches.gridWords : []),
  ]);
}
