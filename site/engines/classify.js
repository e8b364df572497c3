/**
 * What transformers.js and ONNX Runtime throw, as one of our codes. Neither has error classes: only the words tell.
 *
 * @typedef {import("../protocol.d.ts").ErrorCode} ErrorCode
 * @typedef {import("../protocol.d.ts").WireError} WireError
 */

/** @type {[RegExp, ErrorCode][]} the first that matches decides */
const SIGNS = [
  [/device.{0,20}(is|was|been)?.{0,5}lost|lost.{0,20}device|DXGI_ERROR_DEVICE|external Instance reference/i, "device_lost"],
  [/out.?of.?memory|\bOOM\b|bad_alloc|allocation failed|failed to allocate|could not allocate|cannot enlarge memory/i, "out_of_memory"],
  [/WebAssembly\.Memory|memory access out of bounds|invalid (typed )?array (buffer )?length|array length must be/i, "out_of_memory"],
  [/exceeds the max(imum)? (storage )?buffer|buffer size .* (is )?(too large|exceeds)/i, "out_of_memory"],
  [/GPU adapter|WebGPU is not supported|no available backend found|does not support fp16|shader-f16|WebAssembly SIMD/i, "engine_unavailable"],
];

/**
 * @param {unknown} error
 * @returns {WireError}
 */
export function classify(error) {
  const message = error instanceof Error ? error.message || error.name : String(error);
  const sign = SIGNS.find(([words]) => words.test(message));
  return { code: sign ? sign[1] : "engine_failed", message };
}
