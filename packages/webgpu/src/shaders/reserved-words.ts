/**
 * Names that a rule may use and a shader may not: keywords and reserved words of WGSL (its Section 2.7 and Appendix
 * "Reserved Words"), predeclared types and functions that the emitter calls, and names that the emitter declares.
 */
export const reservedWords: ReadonlySet<string> = new Set(
  `
  alias break case const continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while

  NULL Self abstract active alignas alignof as asm async attribute auto await become cast catch class coherent
  common compile concept consteval constexpr constinit crate debugger decltype delete demote do enum explicit export
  extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl
  implements import inline instanceof interface layout lowp macro match mediump meta mod module move mut mutable
  namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of
  operator package packoffset partial pass patch pixelfragment precise precision premerge priv protected pub public
  readonly ref regardless register require resource restrict self set shared sizeof smooth snorm static std
  subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union
  unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield

  abs array bitcast bool clamp f32 max min pack2x16float select sign sqrt u32 unpack2x16float vec2f vec3u vec4f

  Scalars Value count entry i invocation iteration scalars table tile update workgroup

  column columns first flush isFinite gradient half index line row selected unit unselected word

  activate along atomic atomicAnd atomicLoad atomicOr atomicStore chain_rule groups i32 last listed sigmoid squares

  counted k local matrix n result scratch vec4u workgroupBarrier
  `
    .trim()
    .split(/\s+/),
);

/** How names of the emitter, and other reserved words, begin. */
const reservedPrefix =
  /^(?:__|_$|x_|copy\d|write_half\d|t\d|(?:all|start|stride|width|temporary|reduced|activation|asm|clear|co|column|compile|const|demote|dynamic|first|gradient|group|lane|line|list|listed|macro|mask|matrix|own|reinterpret|row|scalar|static|step|stored|tile|value|workgroup)_)/;

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
