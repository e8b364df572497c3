/**
 * The worker that runs GGUF models with wllama, which is llama.cpp's server in WebAssembly: the ops "wllama.*" of
 * protocol.d.ts.
 *
 * The library loads, samples, stops, keeps the KV cache and constrains by a grammar. The prompt is ours (gguf_chat.js).
 * It has one slot for one request: whoever leaves a request before its end cancels it and waits until it is gone.
 *
 * @typedef {import("../protocol.d.ts").WllamaOps} Ops
 * @typedef {import("../protocol.d.ts").WireFinished} WireFinished
 * @typedef {import("../protocol.d.ts").WireSampling} WireSampling
 * @typedef {import("@wllama/wllama").Wllama} Wllama
 * @typedef {typeof import("@wllama/wllama")} Library
 */

import { Failure, serve } from "../worker.js";
import { probe } from "./capabilities.js";
import { classify } from "./classify.js";
import { GgufChat } from "./gguf_chat.js";
import { readVocabulary } from "./gguf_vocabulary.js";
import { serveWorkerFile } from "./llama_worker.js";
import { given, Turns } from "./turns.js";

const LIBRARY = "../vendor/wllama/index.min.js";
const TEMPLATES = "../vendor/jinja/index.js";
const RUNTIME = new URL("../vendor/wllama/wllama.wasm", import.meta.url).href;
const ERRORS_ONLY = 4; // LogLevel.ERROR
const ALL_LAYERS = 99_999;
const TOO_LONG = /request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)/;

/**
 * @typedef {object} Loaded
 * @property {Wllama} wllama
 * @property {GgufChat} chat
 * @property {number} contextTokens
 */

/** @type {Loaded | null} */
let loaded = null;
const turns = new Turns();
/** @type {(reason: Failure) => void} */
let breakDown = () => {};
/** Rejects when llama.cpp's worker is gone: nobody else would say so. */
const broken = new Promise((_, reject) => (breakDown = reject));
broken.catch(() => {});

/** @returns {Loaded} */
function model() {
  if (!loaded) throw new Failure("not_loaded", "no model is loaded");
  return loaded;
}

/** @template T @param {Promise<T>} work @returns {Promise<T>} */
function orBroken(work) {
  return /** @type {Promise<T>} */ (Promise.race([work, broken]));
}

/**
 * @param {Ops["wllama.load"]["in"]} payload
 * @param {{ blobs: Record<string, Blob> }} context
 * @returns {AsyncGenerator<Ops["wllama.load"]["out"], void>}
 */
async function* load(payload, { blobs }) {
  await check(payload.device);
  yield { stage: "reading" };
  const files = Object.keys(payload.files).map((name) => blobs[name]);
  const vocabulary = await readVocabulary(files[0]);
  const [library, { Template }] = /** @type {[Library, typeof import("@huggingface/jinja")]} */ (
    await Promise.all([import(LIBRARY), import(TEMPLATES)])
  );
  yield { stage: "session" };
  const wllama = await start(library, files, payload);
  const { n_ctx, token_bos, token_eos, add_bos_token } = wllama.getLoadedContextInfo();
  const template = wllama.getChatTemplate();
  if (template === null) throw new Failure("engine_failed", "the file has no chat template");
  const special = { bos: token_bos, eos: token_eos, addsBos: add_bos_token };
  loaded = { wllama, chat: new GgufChat(new Template(template), vocabulary, special), contextTokens: n_ctx };
}

/** @param {"wasm" | "webgpu"} device */
async function check(device) {
  const { wasm_simd, wasm_64, webgpu } = await probe();
  const missing = [
    ...(wasm_simd ? [] : ["no_wasm_simd"]),
    ...(wasm_64 ? [] : ["no_wasm_64"]),
    // Without half precision llama.cpp computes everything on the processor, and does not say so.
    ...(device === "wasm" || webgpu?.shader_f16 ? [] : ["feature_missing"]),
  ];
  if (missing.length > 0) throw new Failure("engine_unavailable", missing.join(), { reasons: missing });
}

/**
 * @param {Library} library
 * @param {Blob[]} files one model's, in the order of its parts
 * @param {Ops["wllama.load"]["in"]} payload
 * @returns {Promise<Wllama>}
 */
async function start({ Wllama }, files, { device, threads, context_tokens, batch_tokens, embeddings }) {
  const log = new LoadLog();
  const webgpu = device === "webgpu";
  serveWorkerFile({ threads, webgpu }, (why) => breakDown(new Failure("engine_failed", log.why || why)));
  const wllama = new Wllama({ default: RUNTIME }, { logger: log });
  wllama.setCompat(null); // its stand-in for older browsers comes from a CDN
  try {
    await orBroken(
      wllama.loadModel(files, {
        n_ctx: context_tokens, n_batch: batch_tokens, n_ubatch: batch_tokens, n_threads: threads, n_parallel: 1,
        n_gpu_layers: webgpu ? ALL_LAYERS : 0, log_level: ERRORS_ONLY,
        ...(embeddings ? { embeddings, pooling_type: "mean" } : {}),
      }),
    );
  } catch (error) {
    throw log.why ? new Error(log.why, { cause: error }) : error;
  }
  // A model that could not be loaded is "loaded", and the first request crashes.
  const { success, n_vocab } = /** @type {any} */ (wllama.getLoadedContextInfo());
  if (!success || !(n_vocab > 0)) throw new Error(log.why || "llama.cpp could not load the model");
  log.close();
  return wllama;
}

/** What llama.cpp says goes wrong while it loads. Afterwards it would be about somebody's words: nothing is kept. */
class LoadLog {
  /** @type {string[] | null} */
  #lines = [];

  get why() {
    return this.#lines?.join("; ") ?? "";
  }

  close() {
    this.#lines = null;
  }

  debug() {}
  log() {}
  warn() {}

  /** @param {...unknown} line */
  error(...line) {
    this.#lines?.push(line.join(" "));
  }
}

/**
 * The prompt with as many tokens behind it as the window has is refused before it runs and leaves the cache alone; the
 * refusal says how long it is.
 *
 * @param {Ops["wllama.count"]["in"]} payload
 * @returns {AsyncGenerator<Ops["wllama.count"]["out"], void>}
 */
async function* count({ messages, continue_last }) {
  const { chat, contextTokens } = model();
  const prompt = chat.padded(chat.prompt(messages, continue_last), contextTokens);
  const done = await turns.take();
  try {
    await complete({ prompt, n_predict: 1 }, () => {}, new AbortController().signal);
  } catch (error) {
    const tokens = refused(error)?.prompt_tokens;
    if (tokens === undefined) throw error;
    yield { tokens: tokens - contextTokens };
    return;
  } finally {
    done();
  }
  throw new Failure("engine_failed", "a prompt beyond the window was not refused");
}

/**
 * @param {Ops["wllama.generate"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["wllama.generate"]["out"], void>}
 */
async function* generate({ messages, sampling, max_new_tokens, stop, continue_last, grammar }, { signal }) {
  const began = performance.now();
  const { chat, contextTokens } = model();
  const request = {
    prompt: chat.prompt(messages, continue_last), n_predict: max_new_tokens, stop: stop.filter((text) => text !== ""),
    ...sampler(sampling, contextTokens), ...(grammar === null ? {} : { grammar }),
  };
  const done = await turns.take();
  try {
    yield* answer(request, signal, began);
  } catch (error) {
    const figures = refused(error);
    throw figures ? new Failure("context_overflow", "the prompt does not fit", figures) : error;
  } finally {
    done();
  }
}

/**
 * @param {Record<string, unknown>} request
 * @param {AbortSignal} signal
 * @param {number} began when the request came, on performance.now()'s clock
 * @returns {AsyncGenerator<Ops["wllama.generate"]["out"], void>}
 */
async function* answer(request, signal, began) {
  let first = 0;
  let last = 0;
  /** @type {any} */
  let end;
  for await (const chunk of given((push) => complete(request, push, signal))) {
    if (!chunk.choices?.[0] || chunk.prompt_progress) continue;
    last = performance.now();
    first ||= last;
    const { text, finish_reason } = chunk.choices[0];
    if (text) yield { text };
    if (finish_reason) end = chunk;
  }
  yield { finished: figures(end, { prefill_ms: first - began, decode_ms: last - first }) };
}

/**
 * @param {any} end the last chunk
 * @param {{ prefill_ms: number, decode_ms: number }} times
 * @returns {WireFinished}
 */
function figures({ choices, usage }, times) {
  return {
    reason: choices[0].finish_reason === "length" ? "length" : "stop",
    prompt_tokens: usage.prompt_tokens,
    cached_tokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    new_tokens: usage.completion_tokens,
    ...times,
  };
}

/**
 * Ends when the slot is free again. Chunks that tell of the prompt's progress are what makes an abort heard within it.
 *
 * @param {Record<string, unknown>} request
 * @param {(chunk: any) => void} onData
 * @param {AbortSignal} abortSignal
 */
async function complete(request, onData, abortSignal) {
  const { wllama } = model();
  // The slot is named, for llama.cpp would set aside the cache of one it chooses for an unlike prompt.
  const options = { ...request, id_slot: 0, stream: true, return_progress: true, cache_prompt: true, onData, abortSignal };
  await orBroken(wllama.createCompletion(/** @type {any} */ (options)));
}

/** The order is that of sampling.js. @param {WireSampling} sampling @param {number} contextTokens */
function sampler({ temperature, top_k, top_p, min_p, repetition_penalty, seed }, contextTokens) {
  return {
    samplers: ["penalties", "top_k", "top_p", "min_p", "temperature"],
    temperature, top_k, top_p, min_p, repeat_penalty: repetition_penalty, repeat_last_n: contextTokens,
    seed: seed % 0xffff_ffff, // the largest means "any"
  };
}

/** @param {unknown} error @returns {{ prompt_tokens: number, context_tokens: number } | null} */
function refused(error) {
  const found = TOO_LONG.exec(error instanceof Error ? error.message : "");
  return found && { prompt_tokens: Number(found[1]), context_tokens: Number(found[2]) };
}

/**
 * @param {Ops["wllama.embed"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["wllama.embed"]["out"], void>}
 */
async function* embed({ texts }, { signal }) {
  const { wllama } = model();
  for (const input of texts) { // of several at once it gives the first only
    if (signal.aborted) return;
    const done = await turns.take();
    try {
      const { data } = await orBroken(wllama.createEmbedding({ input }));
      yield { vector: /** @type {number[]} */ (data[0].embedding) };
    } finally {
      done();
    }
  }
}

/**
 * Its worker throws this where llama.cpp itself threw: the pointer to the answer is null.
 *
 * @param {unknown} error
 */
function classifyThrown(error) {
  if (error instanceof Error && error.message.startsWith("Invalid typed array length")) {
    return classify(new Error("llama.cpp refused the request"));
  }
  return classify(error);
}

serve("wllama", { probe: async function* () { yield await probe(); }, load, count, generate, embed }, classifyThrown);
