/**
 * The worker that runs the self-test's small network with ONNX Runtime Web: the op "digits.name" of protocol.d.ts.
 *
 * @typedef {import("../protocol.d.ts").DigitsOps["digits.name"]} Name
 * @typedef {import("onnxruntime-web").InferenceSession} Session
 */

import { serve } from "../worker.js";
import { classify } from "./classify.js";

const RUNTIME = new URL("../vendor/onnxruntime/", import.meta.url);
const NETWORK = new URL("../digits/network.onnx", import.meta.url);
// The build with WebGPU is twice as large: whoever has no graphics card does not load it.
const BUILDS = {
  wasm: { script: "ort.wasm.min.mjs", runtime: "ort-wasm-simd-threaded" },
  webgpu: { script: "ort.webgpu.min.mjs", runtime: "ort-wasm-simd-threaded.asyncify" },
};

/** @type {{ ort: typeof import("onnxruntime-web"), session: Session } | null} */
let loaded = null;

/** @param {"wasm" | "webgpu"} device one for as long as the worker lives */
async function load(device) {
  const { script, runtime } = BUILDS[device];
  const ort = /** @type {typeof import("onnxruntime-web")} */ (await import(new URL(script, RUNTIME).href));
  ort.env.wasm.numThreads = 1; // 2 410 weights: threads would take longer to start
  ort.env.wasm.wasmPaths = { mjs: new URL(`${runtime}.mjs`, RUNTIME).href, wasm: new URL(`${runtime}.wasm`, RUNTIME).href };
  return { ort, session: await ort.InferenceSession.create(NETWORK.href, { executionProviders: [device] }) };
}

serve(
  "digits",
  {
    /** @param {Name["in"]} payload @returns {AsyncGenerator<Name["out"], void>} */
    async *name({ pixels, device }) {
      const begun = performance.now();
      const before = loaded;
      const { ort, session } = (loaded = before ?? (await load(device)));
      const image = new ort.Tensor("float32", Float32Array.from(pixels), [1, pixels.length]);
      if (!before) await session.run({ image }); // the first run compiles shaders
      const ready = performance.now();
      const { probabilities } = await session.run({ image });
      const found = /** @type {Float32Array} */ (await probabilities.getData());
      yield { probabilities: [...found], run_ms: performance.now() - ready, load_ms: before ? 0 : ready - begun };
    },
  },
  classify,
);
