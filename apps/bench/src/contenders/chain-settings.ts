/** The settings of what stands before and after Adam. The gradients of all workloads are clipped at this norm. */
export const chainSettings = { globalClipNorm: 1, weightDecay: 0.01, emaMomentum: 0.999 } as const;
