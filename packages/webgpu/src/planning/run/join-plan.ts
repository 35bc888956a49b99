import type { ReduceOp } from "@gradstep/core";
import { workgroupSize } from "../../shaders/kernel-layout.js";
import {
  joinCode,
  joinParameterNames,
  joinsPerTile,
  type JoinParameters,
} from "../../shaders/join-kernel.js";
import type { BindingLimits, StepDispatch } from "../dispatch/dispatch.js";
import { planSegmentDispatches, type Segment } from "../dispatch/segment-dispatches.js";
import type { StepKernels } from "../dispatch/step-kernels.js";
import type { ScratchLayout } from "./scratch-layout.js";

/** What one workgroup joins at most. A power of two, so that blocks of it do not change the order. */
const maxLength = 4096;

/** Results that are joined from as many values each. Value `i` of result `j` is at `i * results + j`. */
interface Join {
  readonly op: ReduceOp;
  readonly results: number;
  readonly length: number;
  readonly source: number;
  readonly target: number;
}

/** Collects what the tiles of a pass have reduced, to be joined once it has finished. */
export class JoinPlan {
  readonly #scratch: ScratchLayout;
  readonly #joins: Join[] = [];

  constructor(scratch: ScratchLayout) {
    this.#scratch = scratch;
  }

  /**
   * Where to put the values of which each result is made; if it is only one, where the results go.
   * @param target where the results go in the scratch buffer, one after the other
   */
  add(op: ReduceOp, results: number, length: number, target: number): number {
    if (length === 1) return target;
    const source = this.#scratch.take(results * length);
    this.#joins.push({ op, results, length, source, target });
    return source;
  }

  /** Joins values that are one after the other into one result. */
  join(op: ReduceOp, length: number, source: number, target: number): void {
    if (length > 1) this.#joins.push({ op, results: 1, length, source, target });
  }

  /** The dispatches that join everything, one after the other: one, or two if there is a very long one. */
  dispatches({ join: kernel }: StepKernels, limits: BindingLimits): StepDispatch[] {
    const blocks = this.#joins.filter(({ results, length }) => results === 1 && length > maxLength);
    return [blocks.flatMap(blockSegments), this.#joins.map(lastSegment)].flatMap((segments) =>
      planSegmentDispatches(segments, limits).map((dispatch) => ({ ...dispatch, kernel })),
    );
  }
}

/** Joins the blocks of a long list of values: the result of each is where its first value was. */
function blockSegments({ op, length, source }: Join): Segment[] {
  const whole = Math.floor(length / maxLength);
  const rest = length % maxLength;
  const block = (results: number, first: number, ofLength: number): Segment => {
    const start = source + first * maxLength;
    return segment(results, {
      lanes: workgroupSize,
      length: ofLength,
      stride: 1,
      spacing: maxLength,
      source_start: start,
      target_start: start,
      target_spacing: maxLength,
      op: joinCode[op],
    });
  };
  return [
    ...(whole > 0 ? [block(whole, 0, maxLength)] : []),
    ...(rest > 0 ? [block(1, whole, rest)] : []),
  ];
}

function lastSegment({ op, results, length, source, target }: Join): Segment {
  const isBlocked = results === 1 && length > maxLength;
  const values = isBlocked ? Math.ceil(length / maxLength) : length;
  return segment(results, {
    lanes: Math.min(workgroupSize, 2 ** Math.ceil(Math.log2(Math.ceil(values / 2)))),
    length: values,
    stride: isBlocked ? maxLength : results,
    spacing: 1,
    source_start: source,
    target_start: target,
    target_spacing: 1,
    op: joinCode[op],
  });
}

function segment(results: number, parameters: JoinParameters): Segment {
  return {
    spans: [],
    count: results,
    tiles: Math.ceil(results / joinsPerTile(parameters.lanes)),
    scalars: undefined,
    parametersAt: () => joinParameterNames.map((name) => parameters[name]),
  };
}
