/**
 * Words that a rule may use as names and a shader may not: keywords and reserved words of WGSL (its Section 2.7 and
 * Appendix "Reserved words"), predeclared types and functions that the emitter calls, and the emitter's own names.
 */
export const taken: ReadonlySet<string> = new Set(
  `
  alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let
  loop override requires return struct switch true var while

  NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class
  co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval
  constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export
  extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl
  implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut
  mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of
  operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public
  readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm
  static static_assert static_cast std subroutine super target template this thread_local throw trait try type
  typedef typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with
  writeonly yield

  abs array bitcast bool clamp f32 max min pack2x16float select sign sqrt u32 unpack2x16float vec2f vec3u vec4f

  Scalars Value count element entry group groups i pool own scalars table tile turn update

  column columns first g_at g_step g_unit gradient half kept line line_at line_length line_step mask_at mask_step others
  pairs row row_copy row_mask stepped unit value word word_at
  `
    .trim()
    .split(/\s+/),
);

/**
 * A name of a rule as a name in WGSL: itself, or with `x_` before it where it would mean something else there. Two
 * names never become one.
 */
export function safe(name: string): string {
  const isFree = !taken.has(name) && !/^(?:__|_$|x_|all_|at_|t\d)/.test(name);
  return isFree ? name : `x_${name}`;
}
