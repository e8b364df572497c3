// The graphics device, without subgroups. SwiftShader's are four threads wide, which ONNX Runtime's flash attention
// (for prompts of more than 32 tokens) does not expect: it computes wrongly there. Real cards have 8 or more.
const request = GPUAdapter.prototype.requestDevice;

/** @this {GPUAdapter} @param {GPUDeviceDescriptor} [wanted] */
GPUAdapter.prototype.requestDevice = function (wanted = {}) {
  const features = [...(wanted.requiredFeatures ?? [])].filter((name) => !String(name).includes('subgroup'));
  return request.call(this, { ...wanted, requiredFeatures: features });
};
