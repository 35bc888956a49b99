import type { RowList, Tensor, Update } from "@gradstep/core";
import { destroyStale } from "../../device/stale-work.js";
import { bufferUsage } from "../../device/webgpu-constants.js";
import type { BindingLimits, StepDispatch } from "../dispatch/dispatch.js";
import { wordView } from "./row-item.js";
import { capacityFor, ListScalars } from "./list-scalars.js";
import type { RowListView } from "../../memory/buffer-views.js";
import { planSegmentDispatches, rowsSpan, type Segment } from "../dispatch/segment-dispatches.js";
import {
  listEntryWords,
  noEntry,
  rowListParameterNames,
  type RowListParameters,
} from "../../shaders/row-list-kernel.js";
import {
  rowScalarsParameterNames,
  type RowScalarsParameters,
} from "../../shaders/row-scalars-kernel.js";
import type { StepKernels } from "../dispatch/step-kernels.js";
import type { GpuTensor } from "../../memory/gpu-tensor.js";

/** The list of one update on the device. */
interface List {
  readonly update: Update;
  readonly buffer: GPUBuffer;
  readonly length: number;
  /** The words for the first entry of each row: as many as rows if all are updated, otherwise 0. */
  readonly firstEntryCount: number;
  /** What is copied to the buffer; undefined if the device makes it from a tensor. */
  readonly words: Uint32Array<ArrayBuffer> | undefined;
  /** The sets of scalars after the entries; undefined if entries have none of their own. */
  readonly scalars: ListScalars | undefined;
  readonly indices: Tensor | undefined;
}

/**
 * Buffers for the lists of rows of a batch, which each step fills. They have room for some more rows than the first step
 * had, so that the next ones can use them.
 */
export class RowLists {
  readonly #device: GPUDevice;
  /** By the index of the update. */
  readonly #lists: readonly (List | undefined)[];

  constructor(device: GPUDevice, label: string, updates: readonly Update[]) {
    this.#device = device;
    this.#lists = updates.map((update): List | undefined => {
      const { rows } = update;
      if (rows === undefined) return undefined;
      const isArray = "start" in rows;
      const length = isArray ? capacityFor(rows.end - rows.start) : rows.size;
      const updatesAll = update.unselectedRows === "zero" || update.mask !== undefined;
      const firstEntryCount = updatesAll ? (update.parameter.shape[0] ?? 1) : 0;
      const ofRows = isArray ? rows.scalars : undefined;
      const scalars = ofRows && new ListScalars(update, ofRows, listEntryWords * length, length);
      const listed = scalars?.end ?? listEntryWords * length;
      const buffer = device.createBuffer({
        label: `${label}, rows`,
        size: 4 * (listed + firstEntryCount),
        usage: bufferUsage.STORAGE | bufferUsage.COPY_DST,
      });
      const words = isArray ? new Uint32Array(listed) : undefined;
      return {
        update,
        buffer,
        length,
        firstEntryCount,
        words,
        scalars,
        indices: isArray ? undefined : rows,
      };
    });
  }

  /** Where the list of update `index` is; undefined if it has none. */
  viewOf(index: number): RowListView | undefined {
    const list = this.#lists[index];
    if (list === undefined) return undefined;
    const { buffer, length, firstEntryCount, scalars } = list;
    const firstEntries = firstEntryCount === 0 ? undefined : listEntryWords * length;
    return { buffer, start: 0, length, firstEntries, scalarStarts: scalars?.starts };
  }

  /** For an update with arrays: whether its current list belongs in the buffer that there is for it. */
  matches(index: number, { rows }: Update): boolean {
    if (rows === undefined || !("start" in rows)) return true;
    const list = this.#lists[index];
    return capacityFor(rows.end - rows.start) === list?.length && hasRoom(list, rows);
  }

  /** The dispatches that make lists from tensors of indices. @throws {GradstepError} `UNSUPPORTED` */
  dispatches({ rowList: kernel }: StepKernels, limits: BindingLimits): StepDispatch[] {
    const segments = this.#lists.flatMap((list): Segment[] => {
      if (list?.indices === undefined) return [];
      const made = segmentOf(list, list.indices, false);
      return list.firstEntryCount === 0 ? [made] : [segmentOf(list, list.indices, true), made];
    });
    // One after the other: some of them write to the same buffer.
    return segments.flatMap((segment) =>
      planSegmentDispatches([segment], limits).map((dispatch) => ({ ...dispatch, kernel })),
    );
  }

  /** The dispatches that find the scalars of each row. @param control the counts of the guard */
  scalarDispatches(
    { rowScalars: kernel }: StepKernels,
    limits: BindingLimits,
    control: GPUBuffer | undefined,
  ): StepDispatch[] {
    return this.#lists.flatMap((list) => {
      if (list?.scalars === undefined) return [];
      const segment = scalarsSegmentOf(list, list.scalars, control!);
      return planSegmentDispatches([segment], limits).map((one) => ({ ...one, kernel }));
    });
  }

  /** Copies the current lists to the device. */
  write(): void {
    for (let i = 0; i < this.#lists.length; i += 1) {
      const list = this.#lists[i];
      if (list?.words === undefined) continue;
      const { words, update, buffer, length } = list;
      const { indices, gradientRows, start, end, scalars } = update.rows as RowList;
      words.fill(noEntry, 0, listEntryWords * length);
      for (let k = start; k < end; k += 1) {
        words[listEntryWords * (k - start)] = indices[k];
        words[listEntryWords * (k - start) + 1] = gradientRows[k];
      }
      if (scalars !== undefined) list.scalars!.write(words, scalars, end);
      this.#device.queue.writeBuffer(buffer, 0, words);
    }
  }

  destroy(): void {
    for (const list of this.#lists) if (list !== undefined) destroyStale(list.buffer);
  }
}

/** @param isReset whether it sets the first entries of all rows to none, instead of making the list */
function segmentOf(
  { buffer, length, firstEntryCount }: List,
  indices: Tensor,
  isReset: boolean,
): Segment {
  const view = wordView(indices as unknown as GpuTensor);
  return {
    spans: [rowsSpan(view, 0, length), { buffer, low: 0, high: buffer.size }],
    count: isReset ? firstEntryCount : length,
    scalars: undefined,
    parametersAt: ([indexOffset]) => {
      const parameters: RowListParameters = {
        index_start: view.start - indexOffset / 4,
        index_stride: view.stride,
        list_start: 0,
        first_entries: listEntryWords * length,
        rows: firstEntryCount,
        is_reset: isReset ? 1 : 0,
      };
      return rowListParameterNames.map((name) => parameters[name]);
    },
  };
}

function scalarsSegmentOf(
  { buffer, length }: List,
  { counts, starts, sets, setLength }: ListScalars,
  control: GPUBuffer,
): Segment {
  const view = wordView(counts as unknown as GpuTensor);
  return {
    spans: [
      { buffer: control, low: 0, high: control.size },
      rowsSpan(view, 0, counts.size),
      { buffer, low: 0, high: buffer.size },
    ],
    count: length,
    scalars: undefined,
    parametersAt: ([, countsOffset]) => {
      const parameters: RowScalarsParameters = {
        counts_start: view.start - countsOffset / 4,
        list_start: 0,
        scalar_starts: starts,
        sets_start: sets,
        set_length: setLength,
      };
      return rowScalarsParameterNames.map((name) => parameters[name]);
    },
  };
}

/** Whether a list has room for the scalars of these rows, and counts their steps in the same memory. */
function hasRoom({ scalars }: List, rows: RowList): boolean {
  if (rows.scalars === undefined || scalars === undefined) return rows.scalars === scalars;
  const { counts, setCount } = rows.scalars;
  return counts === scalars.counts && capacityFor(setCount) === scalars.capacity;
}
