/**
 * The graphics device that ONNX Runtime is given where the one it would ask for itself computes wrongly.
 *
 * With subgroups of four threads (SwiftShader's) its flash attention, which prompts over 32 tokens get, gives wrong
 * scores; on a device without the feature it takes other shaders, which are right. Eight threads and more (Intel's,
 * Apple's, NVIDIA's, AMD's) are left to it.
 */

const WIDE_ENOUGH = 8;

/** What ONNX Runtime asks of a device of its own: all that the adapter has. */
const LIMITS = /** @type {const} */ ([
  "maxBufferSize", "maxStorageBufferBindingSize", "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize", "maxComputeInvocationsPerWorkgroup", "maxComputeWorkgroupsPerDimension",
  "maxComputeWorkgroupSizeX", "maxComputeWorkgroupSizeY", "maxComputeWorkgroupSizeZ",
]);

/**
 * @param {GPUAdapter} adapter
 * @returns {Promise<GPUDevice | null>} null: it may ask for its own
 */
export async function deviceFor(adapter) {
  const { features, info, limits } = adapter;
  if (!features.has("subgroups") || (info.subgroupMinSize ?? WIDE_ENOUGH) >= WIDE_ENOUGH) return null;
  return adapter.requestDevice({
    requiredFeatures: features.has("shader-f16") ? ["shader-f16"] : [],
    requiredLimits: Object.fromEntries(LIMITS.map((name) => [name, limits[name]])),
  });
}
