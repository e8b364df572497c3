/**
 * The worker that runs ONNX models with transformers.js: the ops "transformers_js.*" of protocol.d.ts.
 *
 * The library loads the model, the tokenizer and the chat template. The decode loop is ours: `model.generate` neither
 * compares tokens before it reuses a cache, nor stops within a prompt, nor knows top-p, min-p, stop strings or a seed.
 *
 * @typedef {import("../protocol.d.ts").TransformersJsOps} Ops
 * @typedef {import("../protocol.d.ts").WireFinished} WireFinished
 * @typedef {import("./decoder.js").Library} Library
 * @typedef {import("@huggingface/transformers").PreTrainedModel} Model
 * @typedef {import("@huggingface/transformers").PreTrainedTokenizer} Tokenizer
 */

import { Failure, serve } from "../worker.js";
import { hasSimd, probe, requestAdapter } from "./capabilities.js";
import { ChatTokens } from "./chat_tokens.js";
import { classify } from "./classify.js";
import { commonPrefix, Decoder } from "./decoder.js";
import { deviceFor } from "./gpu_device.js";
import { Grammars } from "./grammars.js";
import { MODEL, readFrom } from "./model_files.js";
import { argmax, createSampler, logSoftmax } from "./sampling.js";
import { Detokenizer, StopStrings } from "./text_stream.js";
import { createPause, Turns } from "./turns.js";

const LIBRARY = "../vendor/transformers/transformers.min.js";
const RUNTIME = new URL("../vendor/onnxruntime/", import.meta.url);

/**
 * @typedef {object} Loaded
 * @property {Decoder} decoder
 * @property {ChatTokens} chat
 * @property {Grammars} grammars
 * @property {(ids: number[]) => string} decode
 * @property {ReadonlySet<number>} special ids that are never text
 * @property {ReadonlySet<number>} ends ids that end an answer
 * @property {number} contextTokens
 */

/** @type {Loaded | null} */
let loaded = null;
const turns = new Turns();
const pause = createPause();
/** @type {(reason: Failure) => void} */
let loseDevice = () => {};
/** Rejects when the GPU goes away: what waits for it then may wait for ever. */
const deviceLost = new Promise((_, reject) => (loseDevice = reject));
deviceLost.catch(() => {});

/** @returns {Loaded} */
function model() {
  if (!loaded) throw new Failure("not_loaded", "no model is loaded");
  return loaded;
}

/**
 * @param {Ops["transformers_js.load"]["in"]} payload
 * @param {{ blobs: Record<string, Blob> }} context
 * @returns {AsyncGenerator<Ops["transformers_js.load"]["out"], void>}
 */
async function* load({ device, dtype, threads }, { blobs }) {
  if (!hasSimd()) throw new Failure("engine_unavailable", "no WebAssembly SIMD");
  const adapter = device === "webgpu" ? await requestAdapter() : null;
  if (device === "webgpu" && !adapter) throw new Failure("engine_unavailable", "no WebGPU adapter");
  yield { stage: "reading" };
  /** @type {Library} */
  const library = await import(LIBRARY);
  configure(library, device, threads, blobs);
  const tokenizer = await library.AutoTokenizer.from_pretrained(MODEL);
  const template = blobs["chat_template.jinja"]; // where newer repositories keep it; the library does not look there
  if (template) tokenizer.chat_template = await template.text();
  yield { stage: "session" };
  const gpu = adapter && (await deviceFor(adapter));
  const session_options = gpu ? { executionProviders: [{ name: "webgpu", device: gpu }] } : {};
  const options = /** @type {{ device: "wasm" | "webgpu", dtype: "auto" }} */ ({ device, dtype, session_options });
  const network = await orLost(library.AutoModelForCausalLM.from_pretrained(MODEL, options));
  watch(gpu ?? (await library.env.backends.onnx.webgpu?.device));
  loaded = describe(library, network, tokenizer);
}

/**
 * @param {Library} library
 * @param {"wasm" | "webgpu"} device
 * @param {number} threads
 * @param {Record<string, Blob>} blobs
 */
function configure({ env, LogLevel }, device, threads, blobs) {
  readFrom(env, blobs);
  env.logLevel = LogLevel.NONE; // when a step fails the library logs the tokens it was given: somebody's words
  const { wasm } = env.backends.onnx;
  if (!wasm) throw new Failure("engine_failed", "this build of the library has no WebAssembly runtime");
  // WebGPU needs the build that can wait for the GPU (asyncify), which is twice as large.
  const build = `ort-wasm-simd-threaded${device === "webgpu" ? ".asyncify" : ""}`;
  wasm.wasmPaths = { mjs: new URL(`${build}.mjs`, RUNTIME).href, wasm: new URL(`${build}.wasm`, RUNTIME).href };
  wasm.numThreads = threads;
}

/** @param {GPUDevice | undefined} device that the session runs on */
async function watch(device) {
  const lost = await device?.lost;
  if (lost) loseDevice(new Failure("device_lost", lost.message || lost.reason));
}

/**
 * @template T
 * @param {Promise<T>} work
 * @returns {Promise<T>}
 */
function orLost(work) {
  return /** @type {Promise<T>} */ (Promise.race([work, deviceLost]));
}

/**
 * @param {Library} library
 * @param {Model} network
 * @param {Tokenizer} tokenizer
 * @returns {Loaded}
 */
function describe(library, network, tokenizer) {
  const config = /** @type {Record<string, any>} */ (network.config);
  const ends = [network.generation_config?.eos_token_id, config.eos_token_id, tokenizer.eos_token_id].flat();
  const chat = new ChatTokens(tokenizer);
  return {
    decoder: new Decoder(library, network, pause),
    chat,
    grammars: new Grammars(tokenizer, chat),
    decode: (ids) => tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
    special: new Set(tokenizer.all_special_ids),
    ends: new Set(ends.filter((id) => id !== undefined && id !== null).map(Number)),
    contextTokens: config.max_position_embeddings ?? config.n_positions ?? config.n_ctx ?? Infinity,
  };
}

/**
 * @param {Ops["transformers_js.self_test"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["transformers_js.self_test"]["out"], void>}
 */
async function* selfTest({ prompt_ids, steps }, { signal }) {
  const { decoder } = model();
  const done = await turns.take();
  try {
    /** @type {number[]} */
    const next_ids = [];
    let { scores } = await orLost(decoder.prefill(prompt_ids, signal));
    while (scores && next_ids.length < steps) {
      const id = argmax(scores);
      next_ids.push(id);
      scores = next_ids.length < steps ? await orLost(decoder.step([id])) : null;
    }
    yield { next_ids };
  } finally {
    await decoder.drop();
    done();
  }
}

/**
 * @param {Ops["transformers_js.count"]["in"]} payload
 * @returns {AsyncGenerator<Ops["transformers_js.count"]["out"], void>}
 */
async function* count({ messages, continue_last }) {
  yield { tokens: model().chat.encode(messages, continue_last).length };
}

/**
 * @param {Ops["transformers_js.generate"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["transformers_js.generate"]["out"], void>}
 */
async function* generate({ messages, sampling, max_new_tokens, stop, continue_last, grammar }, { signal }) {
  const began = performance.now();
  const { chat, contextTokens, decode, special, grammars, ends } = model();
  const prompt = chat.encode(messages, continue_last);
  mustFit(prompt.length, 1);
  const constraint = grammar ? grammars.constraint(grammar, ends, continue_last ? messages[messages.length - 1].content : "") : null;
  const most = Math.min(max_new_tokens, contextTokens - prompt.length);
  const done = await turns.take();
  try {
    const text = new Detokenizer(decode, special, continue_last ? prompt : []);
    yield* answer(model(), prompt, createSampler(sampling, prompt), constraint, text, most, stop, signal, began);
  } finally {
    done();
  }
}

/** @param {number} prompt_tokens @param {number} more tokens that must fit behind them */
function mustFit(prompt_tokens, more) {
  const { contextTokens: context_tokens } = model();
  if (prompt_tokens + more > context_tokens) {
    throw new Failure("context_overflow", "the prompt does not fit", { prompt_tokens, context_tokens });
  }
}

/**
 * @param {Ops["transformers_js.score"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["transformers_js.score"]["out"], void>}
 */
async function* score({ messages, candidates }, { signal }) {
  const { chat, decoder, ends } = model();
  const prompt = chat.encode(messages);
  const spelled = candidates.map((candidate) => chat.answer(candidate));
  mustFit(prompt.length, Math.max(...spelled.map((ids) => ids.length)));
  const done = await turns.take();
  try {
    /** @type {number[]} */
    const scores = [];
    /** @type {Float32Array[]} the model's scores after the prompt and after each token of the candidate */
    const rows = [];
    /** @type {readonly number[]} */
    let before = [];
    for (const { ids, place } of inOrder(spelled)) {
      rows.length = Math.min(rows.length, commonPrefix(before, ids) + 1);
      while (rows.length <= ids.length) {
        const read = await orLost(decoder.prefill([...prompt, ...ids.slice(0, rows.length)], signal));
        if (!read.scores) return;
        rows.push(read.scores);
      }
      scores[place] = logProbability(rows, ids, ends);
      before = ids;
    }
    yield { scores };
  } finally {
    done();
  }
}

/** Beside each other what begins alike: then each beginning is read once. @param {number[][]} spelled */
function inOrder(spelled) {
  const places = spelled.map((ids, place) => ({ ids, place }));
  return places.sort(({ ids: a }, { ids: b }) => {
    const shared = commonPrefix(a, b);
    return shared === a.length || shared === b.length ? a.length - b.length : a[shared] - b[shared];
  });
}

/**
 * @param {Float32Array[]} rows scores before each of `ids`, and after the last
 * @param {readonly number[]} ids
 * @param {ReadonlySet<number>} ends
 */
function logProbability(rows, ids, ends) {
  const spelled = ids.reduce((sum, id, i) => sum + logSoftmax(rows[i], [id]), 0);
  return spelled + logSoftmax(rows[ids.length], ends);
}

/**
 * @param {Loaded} loaded
 * @param {readonly number[]} prompt
 * @param {(scores: Float32Array) => number} choose
 * @param {import("./grammar.js").Constraint | null} constraint
 * @param {Detokenizer} text
 * @param {number} most new tokens, at least 1
 * @param {string[]} stop
 * @param {AbortSignal} signal
 * @param {number} began when the request came, on performance.now()'s clock
 * @returns {AsyncGenerator<Ops["transformers_js.generate"]["out"], void>}
 */
async function* answer({ decoder, ends }, prompt, choose, constraint, text, most, stop, signal, began) {
  const visible = new StopStrings(stop);
  constraint?.prepare(most - 1);
  let { scores, cached } = await orLost(decoder.prefill(prompt, signal));
  if (!scores) return;
  constraint?.apply(scores);
  let id = choose(scores);
  const first = performance.now();
  let new_tokens = 1;
  while (!ends.has(id)) {
    const shown = visible.push(text.push(id));
    if (shown !== "") yield { text: shown };
    if (visible.stopped || new_tokens >= most) break;
    await pause();
    if (signal.aborted) return;
    constraint?.accept(id);
    const stepping = orLost(decoder.step([id]));
    stepping.catch(() => {}); // it is awaited below
    new_tokens++;
    constraint?.prepare(most - new_tokens);
    scores = await stepping;
    constraint?.apply(scores);
    id = choose(scores);
  }
  const last = performance.now();
  const rest = visible.push(text.flush()) + visible.flush();
  if (rest !== "") yield { text: rest };
  /** @type {WireFinished} */
  const finished = {
    reason: ends.has(id) || visible.stopped ? "stop" : "length",
    prompt_tokens: prompt.length, cached_tokens: cached, new_tokens,
    prefill_ms: first - began, decode_ms: last - first,
  };
  yield { finished };
}

serve(
  "transformers_js",
  { probe: async function* () { yield await probe(); }, load, self_test: selfTest, count, generate, score },
  classify,
);
