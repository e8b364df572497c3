import assert from "node:assert/strict";
import { test } from "node:test";

import { classify } from "../../../site/engines/classify.js";

// Messages as transformers.js 4.3.1, ONNX Runtime 1.31, Chromium and Firefox word them.
const KNOWN = {
  out_of_memory: [
    "Aborted(OOM). Build with -sASSERTIONS for more info.",
    "Array buffer allocation failed",
    "WebAssembly.Memory(): could not allocate memory",
    "std::bad_alloc",
    "failed to call OrtRun(). ERROR_CODE: 6, ERROR_MESSAGE: Failed to allocate memory for requested buffer of size 302579712",
    "Cannot enlarge memory, asked to go up to 4294967296 bytes",
    "memory access out of bounds",
    "Invalid typed array length: 4294967295",
    "GPUOutOfMemoryError: Out of memory",
  ],
  device_lost: [
    "The GPU device was lost",
    "GPUDevice lost: DXGI_ERROR_DEVICE_REMOVED",
    "Failed to execute 'mapAsync' on 'GPUBuffer': A valid external Instance reference no longer exists.",
    "WebGPU device lost (2): Device was destroyed.",
  ],
  engine_unavailable: [
    'Failed to get GPU adapter. You may need to enable flag "--enable-unsafe-webgpu" if you are using Chrome.',
    "WebGPU is not supported in current environment",
    "no available backend found. ERR: [wasm] TypeError: Failed to fetch dynamically imported module",
    "The device (webgpu) does not support fp16.",
  ],
  engine_failed: [
    "Can't create a session. ERROR_CODE: 7, ERROR_MESSAGE: Failed to load model because protobuf parsing failed.",
    "Unexpected token '<', \"<!doctype \"... is not valid JSON",
    "Cannot use apply_chat_template() because tokenizer.chat_template is not set",
  ],
};

for (const [code, messages] of Object.entries(KNOWN)) {
  for (const message of messages) {
    test(`${code}: ${message}`, () => assert.deepEqual(classify(new Error(message)), { code, message }));
  }
}

test("what is thrown need not be an error", () => {
  assert.deepEqual(classify(6886400), { code: "engine_failed", message: "6886400" }); // a C++ exception's address
  assert.deepEqual(classify(new RangeError()), { code: "engine_failed", message: "RangeError" });
});
