import { f32Const, f32x4, set } from "./instructions.js";
import { encodeModule, v128 } from "./module.js";

let known: boolean | undefined;

/** Whether there is WebAssembly with SIMD here. It may still be forbidden to compile it: see `wasm({ modules })`. */
export function isSupported(): boolean {
  known ??=
    typeof WebAssembly === "object" &&
    WebAssembly.validate(
      encodeModule(
        [
          {
            parameters: 0,
            locals: [v128],
            body: [...f32Const(1), ...f32x4.splat, ...set(0)],
          },
        ],
        false,
      ),
    );
  return known;
}
