import { adam, adamw, chain, clipByGlobalNorm, ema } from "@gradstep/core";
import { wasm as backend } from "@gradstep/wasm";
import { hyperparameters } from "../adam.js";
import { chainSettings } from "./chain-settings.js";
import type { Contender } from "./contender.js";
import { gradstepContender, inBackendMemory } from "./gradstep.js";
import { tfjsChain } from "./tfjs-chain.js";

const { globalClipNorm, weightDecay, emaMomentum } = chainSettings;
const settings = { ...hyperparameters, epsilonMode: "paper" } as const;
const onWasm = () => inBackendMemory(backend());

/** Adam with other stages around it, on one thread: what the stages add, and the same in operations of TF.js. */
export const chains: readonly Contender[] = [
  gradstepContender("adam", "Adam alone, gradstep in WebAssembly", onWasm, adam(settings)),
  gradstepContender(
    "clip+adam",
    "the same after clipping by the global norm",
    onWasm,
    chain(clipByGlobalNorm(globalClipNorm), adam(settings)),
  ),
  gradstepContender(
    "adam+ema",
    "Adam, and an average of the weights",
    onWasm,
    chain(adam(settings), ema(emaMomentum)),
  ),
  gradstepContender(
    "clip+adamw+ema",
    "all of it, with weight decay",
    onWasm,
    chain(clipByGlobalNorm(globalClipNorm), adamw({ ...settings, weightDecay }), ema(emaMomentum)),
  ),
  tfjsChain,
];
