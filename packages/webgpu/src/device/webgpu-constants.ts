/** Flags of `GPUBufferUsage`, which is not a global in every runtime. */
export const bufferUsage = {
  MAP_READ: 0x1,
  MAP_WRITE: 0x2,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
  INDIRECT: 0x100,
} as const;

/** `GPUMapMode.READ`. */
export const mapModeRead = 0x1;

/** `GPUShaderStage.COMPUTE`. */
export const computeStage = 0x4;
