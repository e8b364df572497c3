/**
 * The yardstick: transformers.js as its documentation shows it, `model.generate` and nothing around it, on the same files
 * and the same build of ONNX Runtime.
 */

/** @typedef {typeof import("@huggingface/transformers")} Library */

const LIBRARY = "/vendor/transformers/transformers.min.js";

/** @type {any} */
let loaded;

/** @param {{ base: string, dtype: "int8", threads: number, build: string }} options */
async function load({ base, dtype, threads, build }) {
  /** @type {Library} */
  const { env, AutoTokenizer, AutoModelForCausalLM, Tensor, StoppingCriteria, StoppingCriteriaList } = await import(LIBRARY);
  const url = new URL(base, location.origin);
  env.remoteHost = url.origin;
  env.remotePathTemplate = `${url.pathname.slice(1)}/`;
  env.useBrowserCache = env.useWasmCache = false;
  const wasm = /** @type {NonNullable<typeof env.backends.onnx.wasm>} */ (env.backends.onnx.wasm);
  wasm.wasmPaths = { mjs: `${location.origin}/vendor/onnxruntime/${build}.mjs`, wasm: `${location.origin}/vendor/onnxruntime/${build}.wasm` };
  wasm.numThreads = threads;
  const tokenizer = await AutoTokenizer.from_pretrained("model");
  const model = await AutoModelForCausalLM.from_pretrained("model", { device: "wasm", dtype });
  loaded = { tokenizer, model, Tensor, StoppingCriteria, StoppingCriteriaList };
}

/**
 * Greedy, exactly `tokens` new tokens. `sampling` may turn on what the library has of it.
 * @param {{ messages: object[], tokens: number, sampling?: object }} options
 */
async function generate({ messages, tokens, sampling = { do_sample: false } }) {
  const { tokenizer, model } = loaded;
  const began = performance.now();
  const inputs = tokenizer.apply_chat_template(messages, { add_generation_prompt: true, return_dict: true });
  /** @type {number[]} */
  const times = [];
  const streamer = { put: () => times.push(performance.now()), end: () => {} };
  const output = await model.generate({
    ...inputs, ...sampling, min_new_tokens: tokens, max_new_tokens: tokens, streamer,
  });
  const [, first] = times; // the streamer's first call brings the prompt
  const ids = output.tolist()[0].map(Number);
  return {
    ids: ids.slice(inputs.input_ids.dims[1]),
    prefill_ms: first - began, decode_ms: /** @type {number} */ (times.at(-1)) - first, prompt_tokens: inputs.input_ids.dims[1],
  };
}

onmessage = async ({ data: { id, op, payload } }) => {
  try {
    postMessage({ id, value: await (op === "load" ? load(payload) : generate(payload)) });
    postMessage({ id, end: true });
  } catch (error) {
    postMessage({ id, error: { code: "engine_failed", message: String(error) } });
  }
};
