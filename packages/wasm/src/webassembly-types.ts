/** The type of the instances of a WebAssembly class, or `Fallback` in projects without types of WebAssembly. */
type InstanceOf<Name extends string, Fallback> = typeof globalThis extends {
  readonly WebAssembly: { readonly [key in Name]: { readonly prototype: infer Instance } };
}
  ? Instance
  : Fallback;

/** `WebAssembly.Memory`. Projects whose `lib` has no types of WebAssembly see what gradstep uses of it. */
export type WasmMemory = InstanceOf<
  "Memory",
  { readonly buffer: ArrayBuffer; grow(pages: number): number }
>;

/** `WebAssembly.Module`; any object in projects whose `lib` has no types of WebAssembly. */
export type WasmModule = InstanceOf<"Module", object>;
