// Run by hosts.full.test.ts in a process with limited address space, on the build.
import { isSupported, wasm } from "../dist/index.js";

const codes = [{}, { memoryLimit: 2 ** 24 }].map((options) => {
  try {
    return wasm(options).name;
  } catch (error) {
    return error.code;
  }
});
console.log(isSupported(), ...codes);
