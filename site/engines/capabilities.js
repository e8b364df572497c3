/**
 * What this browser gives an engine, asked without downloading or allocating anything.
 *
 * @typedef {import("../protocol.d.ts").TransformersJsOps["transformers_js.probe"]["out"]} Probe
 */

/** The smallest module with a SIMD instruction (i8x16.splat): it validates where WebAssembly SIMD is. */
const SIMD = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
);

/** @returns {boolean} */
export function hasSimd() {
  return WebAssembly.validate(SIMD);
}

function hasMemory64() {
  try {
    return Boolean(new WebAssembly.Memory(/** @type {any} */ ({ address: "i64", initial: 1n })));
  } catch {
    return false;
  }
}

/** @returns {Promise<GPUAdapter | null>} null too where asking fails */
export async function requestAdapter() {
  try {
    return (await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" })) ?? null;
  } catch {
    return null; // Chromium throws instead of answering null when its GPU process is gone
  }
}

/** @returns {Promise<Probe>} */
export async function probe() {
  const adapter = await requestAdapter();
  return {
    webgpu: adapter && {
      shader_f16: adapter.features.has("shader-f16"),
      max_buffer_bytes: adapter.limits.maxBufferSize,
      vendor: adapter.info.vendor,
      architecture: adapter.info.architecture,
    },
    cross_origin_isolated: globalThis.crossOriginIsolated === true,
    hardware_concurrency: navigator.hardwareConcurrency,
    wasm_simd: hasSimd(),
    wasm_64: hasMemory64() && "Suspending" in WebAssembly,
  };
}
