import {
  block,
  br,
  brIf,
  end,
  i32Add,
  i32And,
  i32Const,
  i32Eqz,
  i32LtU,
  i32Mul,
  i32Sub,
  localGet,
  localSet,
  loop,
  select,
} from "./instruction-set.js";
import { concat, type Code } from "./module-encoder.js";

/** Expressions: code that leaves an unsigned i32 on the stack. */
export const plus = (first: Code, ...others: readonly Code[]): Code =>
  concat(first, ...others.map((other) => concat(other, i32Add)));
export const minus = (a: Code, b: Code): Code => concat(a, b, i32Sub);
export const times = (a: Code, b: Code): Code => concat(a, b, i32Mul);
export const smaller = (a: Code, b: Code): Code => concat(a, b, a, b, i32LtU, select);
/** The next multiple of a power of two. */
export const roundedUp = (value: Code, multiple: number): Code =>
  concat(plus(value, i32Const(multiple - 1)), i32Const(-multiple), i32And);

export const assign = (local: number, value: Code): Code => concat(value, localSet(local));
export const increase = (local: number, by: Code): Code => assign(local, plus(localGet(local), by));

/** Repeats `body`, which increases a local, while the local is below `limit`. */
export function whileBelow(local: number, limit: Code, body: Code): Code {
  return concat(
    concat(block, loop, localGet(local), limit, i32LtU, i32Eqz, brIf(1)),
    concat(body, br(0), end, end),
  );
}

/** The same for a body that does not: it adds `step` to the local after each time. */
export function countUp(local: number, limit: Code, step: number, body: Code): Code {
  return whileBelow(local, limit, concat(body, increase(local, i32Const(step))));
}

/** The same from 0. */
export function countFromZero(local: number, limit: Code, step: number, body: Code): Code {
  return concat(assign(local, i32Const(0)), countUp(local, limit, step, body));
}
