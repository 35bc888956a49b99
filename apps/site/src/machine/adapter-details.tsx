import type { GpuAdapter } from "./gpu-adapter.js";

/** What the browser tells about the GPU. */
export function AdapterDetails({ adapter }: { readonly adapter: GpuAdapter }) {
  const entries: readonly (readonly [string, string])[] = [
    ["Vendor", adapter.vendor],
    ["Architecture", adapter.architecture],
    ["Device", adapter.device],
    ["Description", adapter.description],
    ["Kind", adapter.isFallbackAdapter ? "software, on the CPU" : "GPU"],
    ["Largest buffer", bytes(adapter.maxBufferSize)],
    ["Largest storage binding", bytes(adapter.maxStorageBufferBindingSize)],
    ["Invocations per workgroup", String(adapter.maxComputeInvocationsPerWorkgroup)],
    ["Features", adapter.features.join(", ")],
  ];
  return (
    <details class="machine-adapter">
      <summary>The WebGPU adapter</summary>
      <dl>
        {entries
          .filter(([, value]) => value !== "")
          .map(([title, value]) => (
            <div key={title} class={title === "Features" ? "machine-features" : ""}>
              <dt>{title}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </details>
  );
}

function bytes(count: number): string {
  return `${(count / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 0 })} MiB`;
}
