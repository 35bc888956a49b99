/**
 * Names that a rule may use and a shader may not: keywords and reserved words of WGSL (its Section 2.7 and Appendix
 * "Reserved Words"), predeclared types and functions that the emitter calls, and names that the emitter declares.
 */
export const reservedWords: ReadonlySet<string> = new Set(
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

  Scalars Value count entry i invocation iteration scalar_set scalars table tile update workgroup workgroup_count

  column columns first flush isFinite gradient gradient_start gradient_stride gradient_unit half index line line_length
  mask_start mask_stride row row_mask selected unit unselected value_index word

  activate activation_scale along atomic atomicAnd atomicLoad atomicOr atomicStore chain_rule clear_gradient first_entries
  first_row gradient_activation gradient_scale gradient_type group_length group_row groups i32 last list_start listed
  listed_gradient listed_row own_gradient row_list row_norm sigmoid squares stored_gradient

  column_count column_tile column_tiles counted k lane_values local matrix matrix_column matrix_columns matrix_row
  matrix_rows n result row_count row_tile row_tiles scratch step_scale tile_columns tile_rows value_count vec4u workgroupBarrier
  `
    .trim()
    .split(/\s+/),
);

const reservedPrefix =
  /^(?:__|_$|x_|all_|start_|stride_|width_|copy\d|write_half\d|temporary_|reduced_|t\d)/;

/**
 * The WGSL name for a name of a rule: the same, or with the prefix `x_` if it has another meaning in the shader. Two
 * names never become one.
 */
export function wgslName(name: string): string {
  if (name.startsWith("@")) return `temporary_${name.slice(1)}`;
  return !reservedWords.has(name) && !reservedPrefix.test(name) ? name : `x_${name}`;
}

/** The WGSL name of the binding of an array. */
export function bindingName(name: string): string {
  return name.startsWith("@") ? `all_${wgslName(name)}_values` : `all_${name}`;
}

/** The WGSL name of the position where the values of a tensor start. */
export function startName(name: string): string {
  return name.startsWith("@") ? `start_${wgslName(name)}_values` : `start_${name}`;
}

/** The WGSL name of the number of values of an array after which there can be a gap. */
export function widthName(name: string): string {
  return name.startsWith("@") ? `width_${wgslName(name)}_values` : `width_${name}`;
}

/** The WGSL name of the distance between the rows of an array. */
export function strideName(name: string): string {
  return name.startsWith("@") ? `stride_${wgslName(name)}_values` : `stride_${name}`;
}
