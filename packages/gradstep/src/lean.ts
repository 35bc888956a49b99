export * from "@gradstep/core/lean";
export * from "@gradstep/wasm/lean";
