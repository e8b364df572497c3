// Which adapters ONNX Runtime is not let ask for a device itself.
import assert from "node:assert/strict";
import { test } from "node:test";

import { deviceFor } from "../../../site/engines/gpu_device.js";

/**
 * @param {string[]} features
 * @param {number} [subgroupMinSize]
 */
async function asked(features, subgroupMinSize) {
  /** @type {GPUDeviceDescriptor[]} */
  const wanted = [];
  const adapter = {
    features: new Set(features),
    info: { subgroupMinSize },
    limits: { maxBufferSize: 7 },
    requestDevice: async (/** @type {GPUDeviceDescriptor} */ descriptor) => {
      wanted.push(descriptor);
      return "device";
    },
  };
  return { device: await deviceFor(/** @type {any} */ (adapter)), wanted };
}

test("narrow subgroups: a device without them, with the rest of what the adapter has", async () => {
  const { device, wanted } = await asked(["subgroups", "shader-f16", "timestamp-query"], 4);
  assert.equal(device, "device");
  assert.deepEqual(wanted[0].requiredFeatures, ["shader-f16"]);
  assert.equal(wanted[0].requiredLimits?.maxBufferSize, 7);
  assert.deepEqual((await asked(["subgroups"], 4)).wanted[0].requiredFeatures, []);
});

test("wide ones, none, and unknown ones are left to the library", async () => {
  for (const { device, wanted } of [await asked(["subgroups"], 8), await asked([], 4), await asked(["subgroups"])]) {
    assert.equal(device, null);
    assert.deepEqual(wanted, []);
  }
});
