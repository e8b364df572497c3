/**
 * The worker that runs MLC's models with WebLLM: the ops "webllm.*" of protocol.d.ts.
 *
 * The library fetches and caches its files itself; here both come from the store, through `caches`. So the record it
 * gets names a place that does not exist, and what is not among the model's files is an error instead of a request.
 *
 * @typedef {import("../protocol.d.ts").WebllmOps} Ops
 * @typedef {import("../protocol.d.ts").ErrorCode} ErrorCode
 * @typedef {import("../protocol.d.ts").WireError} WireError
 * @typedef {typeof import("@mlc-ai/web-llm")} Library
 */

import { Failure, serve } from "../worker.js";
import { blobCaches } from "./blob_caches.js";
import { requestAdapter } from "./capabilities.js";
import { classify as classifyWords } from "./classify.js";
import { Turns } from "./turns.js";
import { asRequest } from "./webllm_request.js";

const LIBRARY = "../vendor/web-llm/index.js";
const PLACE = "https://model.invalid/resolve/main/";
const MODEL = "model";

/** The library's error classes, by name. */
const NAMES = /** @type {Record<string, ErrorCode>} */ ({
  ContextWindowSizeExceededError: "context_overflow",
  DeviceLostError: "device_lost",
  FeatureSupportError: "engine_unavailable",
  IntegrityError: "hash_mismatch",
  InvalidResponseFormatError: "invalid_request",
  InvalidResponseFormatGrammarError: "invalid_request",
  MessageOrderError: "invalid_request",
  ModelNotLoadedError: "not_loaded",
  ShaderF16SupportError: "engine_unavailable",
  SystemMessageOrderError: "invalid_request",
  WebGPUNotAvailableError: "engine_unavailable",
  WebGPUNotFoundError: "engine_unavailable",
});

/** @type {import("@mlc-ai/web-llm").MLCEngine | null} */
let engine = null;
const turns = new Turns();

/** @param {unknown} error @returns {WireError} */
function classify(error) {
  const { name, message } = /** @type {Error} */ (error);
  return name in NAMES ? { code: NAMES[name], message } : classifyWords(error);
}

function loaded() {
  if (!engine) throw new Failure("not_loaded", "no model is loaded");
  return engine;
}

/**
 * @param {Ops["webllm.load"]["in"]} payload
 * @param {{ signal: AbortSignal, blobs: Record<string, Blob> }} context
 * @returns {AsyncGenerator<Ops["webllm.load"]["out"], void>}
 */
async function* load({ library, features, context_tokens }, { signal, blobs }) {
  await check(features); // the library looks only after it has compiled what it was given
  yield { stage: "reading", fraction: null };
  Object.defineProperty(globalThis, "caches", { value: blobCaches(PLACE, blobs), configurable: true });
  const { MLCEngine } = /** @type {Library} */ (await import(LIBRARY));
  const record = { model_id: MODEL, model: PLACE, model_lib: PLACE + library, overrides: { context_window_size: context_tokens } };
  /** @type {(value: Ops["webllm.load"]["out"]) => void} */
  let tell = () => {};
  const made = new MLCEngine({
    appConfig: { model_list: [record], cacheBackend: "cache" },
    logLevel: "SILENT", // what it logs are somebody's words
    initProgressCallback: ({ progress }) => tell({ stage: "session", fraction: progress }),
  });
  yield* told(made.reload(MODEL), (next) => (tell = next));
  if (!signal.aborted) engine = made;
}

/** @param {string[]} features */
async function check(features) {
  const adapter = await requestAdapter();
  if (!adapter) throw new Failure("engine_unavailable", "no WebGPU adapter");
  const missing = features.filter((name) => !adapter.features.has(name));
  if (missing.length) throw new Failure("engine_unavailable", `the adapter lacks ${missing}`);
}

/**
 * What a callback hears while `work` goes on, as a stream.
 * @template T
 * @param {Promise<unknown>} work
 * @param {(hear: (value: T) => void) => void} listen
 * @returns {AsyncGenerator<T, void>}
 */
async function* told(work, listen) {
  /** @type {T[]} */
  const heard = [];
  let wake = () => {};
  let ended = false;
  listen((value) => { heard.push(value); wake(); });
  const end = work.finally(() => { ended = true; wake(); });
  end.catch(() => {}); // it is awaited below
  while (!ended || heard.length) {
    if (heard.length) yield /** @type {T} */ (heard.shift());
    else await new Promise((resolve) => (wake = () => resolve(undefined)));
  }
  await end;
}

/**
 * @param {Ops["webllm.count"]["in"]} payload
 * @returns {AsyncGenerator<Ops["webllm.count"]["out"], void>}
 */
async function* count({ texts }) {
  // The library counts only what it has been asked; its tokenizer is what counts.
  const { tokenizer } = /** @type {any} */ (loaded()).loadedModelIdToPipeline.get(MODEL);
  yield { tokens: texts.map((text) => tokenizer.encode(text).length) };
}

/**
 * @param {Ops["webllm.generate"]["in"]} payload
 * @param {{ signal: AbortSignal }} context
 * @returns {AsyncGenerator<Ops["webllm.generate"]["out"], void>}
 */
async function* generate(payload, { signal }) {
  const asked = loaded();
  const done = await turns.take();
  const interrupt = () => asked.interruptGenerate();
  signal.addEventListener("abort", interrupt);
  try {
    const chunks = await asked.chat.completions.create(asRequest(payload));
    yield* answer(chunks, signal);
  } finally {
    signal.removeEventListener("abort", interrupt);
    done();
  }
}

/**
 * @param {AsyncIterable<import("@mlc-ai/web-llm").ChatCompletionChunk>} chunks
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Ops["webllm.generate"]["out"], void>}
 */
async function* answer(chunks, signal) {
  const began = performance.now();
  let first = 0;
  let last = 0;
  /** @type {"stop" | "length"} */
  let reason = "stop";
  for await (const { choices: [choice], usage } of chunks) {
    if (signal.aborted) continue; // heard out: the library's lock is free only then
    if (choice?.finish_reason === "length") reason = "length";
    if (choice?.delta.content) {
      last = performance.now();
      first ||= last;
      yield { piece: choice.delta.content };
    }
    if (usage) {
      const { prompt_tokens, completion_tokens: new_tokens } = usage;
      first ||= performance.now();
      yield { finished: { reason, prompt_tokens, new_tokens, prefill_ms: first - began, decode_ms: Math.max(0, last - first) } };
    }
  }
}

serve("webllm", { load, count, generate }, classify);
