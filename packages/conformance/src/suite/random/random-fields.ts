import { bytesPerValue } from "@gradstep/core";
import { extentOf, type Field, type StoredType } from "../../layouts/field.js";
import type { Random } from "./random.js";

/** What is to be placed in memory. */
export interface FieldRequest {
  readonly dtype: StoredType;
  readonly shape: readonly number[];
  readonly scale?: number;
  /** The number of rows for which memory is reserved; those of the shape if left out. */
  readonly capacity?: number;
}

/** A field in one of several blocks of words. */
export interface PlacedField extends Field {
  readonly block: number;
}

/** Fields in memory, in the order of the requests. */
export interface RandomFields {
  /** The number of words of each block. */
  readonly blocks: readonly number[];
  readonly fields: readonly PlacedField[];
}

/** A field of structs: where it begins in each, in units of two bytes. */
interface Member {
  readonly request: FieldRequest;
  readonly start: number;
}

/** Memory is laid out in units of two bytes, so that f16 can share words. */
const unit = 2;

/**
 * Places fields in one to `maxBlocks` blocks: alone, or interleaved row by row as members of structs, in any order, with
 * gaps, one struct array after the other.
 */
export function randomFields(
  requests: readonly FieldRequest[],
  maxBlocks: number,
  random: Random,
): RandomFields {
  const fields = new Map<FieldRequest, PlacedField>();
  const count = random.integer(1, maxBlocks);
  const blockOf = requests.map(() => random.integer(0, count - 1));
  const blocks = Array.from({ length: count }, (_, block) => {
    let end = gap(random);
    for (const members of structsOf(
      requests.filter((__, i) => blockOf[i] === block),
      random,
    )) {
      const { placed, length } = structArray(members, end, random);
      for (const [request, field] of placed) fields.set(request, { ...field, block });
      end += length + gap(random);
    }
    return Math.max(1, Math.ceil((end * unit) / 4));
  });
  return { blocks, fields: requests.map((request) => fields.get(request)!) };
}

/** Requests of the same number of rows can be members of one struct. */
function structsOf(requests: readonly FieldRequest[], random: Random): readonly FieldRequest[][] {
  const structs: FieldRequest[][] = [];
  for (const request of random.sample(requests, requests.length)) {
    const other = structs.find(
      ([first]) => capacityOf(first) === capacityOf(request) && random.chance(0.7),
    );
    if (other === undefined || request.shape.length === 0) structs.push([request]);
    else other.push(request);
  }
  return structs;
}

/** An array of structs from a unit on, or from the next that its types allow. */
function structArray(
  requests: readonly FieldRequest[],
  from: number,
  random: Random,
): { placed: readonly (readonly [FieldRequest, Field])[]; length: number } {
  const alignment = Math.max(...requests.map(({ dtype }) => unitsOf(dtype)));
  const align = (position: number, to: number): number => Math.ceil(position / to) * to;
  const start = align(from, alignment);
  const isAlone = requests.length === 1;
  const isDense = isAlone && random.chance(0.4);
  let end = 0;
  const members = requests.map((request): Member => {
    const width = unitsOf(request.dtype);
    const begin = align(end + (isDense ? 0 : gap(random)), width);
    end = begin + extentOf(request.shape).columns * width;
    return { request, start: begin };
  });
  const stride = align(end + (isDense ? 0 : gap(random)), alignment);
  const rows = capacityOf(requests[0]);
  const placed = members.map(({ request, start: begin }): readonly [FieldRequest, Field] => {
    const { dtype, shape, scale = 1 } = request;
    const width = unitsOf(dtype);
    return [
      request,
      {
        dtype,
        shape,
        scale,
        offset: (start + begin) / width,
        rowStride: stride / width,
        capacity: capacityOf(request),
      },
    ];
  });
  return { placed, length: start - from + rows * stride };
}

function capacityOf({ shape, capacity = extentOf(shape).rows }: FieldRequest): number {
  return capacity;
}

function unitsOf(dtype: StoredType): number {
  return bytesPerValue[dtype] / unit;
}

/** Units between two members: none, or an odd or even number. */
function gap(random: Random): number {
  return random.chance(0.5) ? 0 : random.integer(1, 7);
}
