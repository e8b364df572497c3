// The graphics device, without subgroups. With SwiftShader's, which are four threads wide, ONNX Runtime computes wrongly
// in prompts of more than 32 tokens, where it takes flash attention.
const request = GPUAdapter.prototype.requestDevice;

/** @this {GPUAdapter} @param {GPUDeviceDescriptor} [wanted] */
GPUAdapter.prototype.requestDevice = function (wanted = {}) {
  const features = [...(wanted.requiredFeatures ?? [])].filter((name) => !String(name).includes('subgroup'));
  return request.call(this, { ...wanted, requiredFeatures: features });
};
