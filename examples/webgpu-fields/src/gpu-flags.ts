// The values of GPUBufferUsage, GPUShaderStage and GPUMapMode, which are globals in browsers only.
export const bufferUsage = {
  MAP_READ: 0x1,
  COPY_SRC: 0x4,
  COPY_DST: 0x8,
  UNIFORM: 0x40,
  STORAGE: 0x80,
};
export const shaderStage = { COMPUTE: 0x4 };
export const mapMode = { READ: 0x1 };
