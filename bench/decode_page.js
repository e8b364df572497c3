/** The page of bench/decode.py: our engines, plain transformers.js and wllama side by side, each loaded once. */

/** @typedef {{ role: string, content: string }} Message */
/** @typedef {{ tokens: number, decode_ms: number, prefill_ms: number }} Run */

const GREEDY = { temperature: 0, top_k: 40, top_p: 0.95, min_p: 0.05, repetition_penalty: 1, seed: 1 };
let nextId = 1;

/** A worker that keeps the wire protocol. @param {string} url */
function connect(url) {
  const worker = new Worker(url, { type: "module" });
  /** @type {Map<number, (reply: any) => void>} */
  const listeners = new Map();
  worker.onmessage = ({ data }) => listeners.get(data.id)?.(data);
  /** @param {string} op @param {unknown} payload @param {Record<string, Blob>} [blobs] */
  return (op, payload, blobs) => {
    const id = nextId++;
    const times = { began: performance.now(), first: 0, ended: 0 };
    /** @type {any[]} */
    const values = [];
    const done = new Promise((resolve, reject) => {
      listeners.set(id, (reply) => {
        if ("value" in reply) {
          times.first ||= performance.now();
          values.push(reply.value);
        } else {
          times.ended = performance.now();
          if (reply.error) reject(new Error(`${op}: ${reply.error.message}`));
          else resolve({ values, ...times });
        }
      });
    });
    worker.postMessage({ id, op, payload, blobs });
    return { done: /** @type {Promise<any>} */ (done), abort: () => worker.postMessage({ id, abort: true }) };
  };
}

const ours = connect("/engines/transformers_js.js");
const gguf = connect("/engines/wllama.js");
const plain = connect("/bench/plain_worker.js");
/** @type {any} */
let wllama;

/** @param {string} address */
const blob = async (address) => (await fetch(address)).blob();

/** @param {{ files: string[], dtype: string, threads: number, withGguf: boolean }} options */
async function load({ files, dtype, threads, withGguf }) {
  const blobs = Object.fromEntries(await Promise.all(files.map(async (name) => [name, await blob(`/models/m/${name}`)])));
  await ours("transformers_js.load", { files: {}, device: "wasm", dtype, threads }, blobs).done;
  await plain("load", { base: "/models/m", dtype, threads, build: "ort-wasm-simd-threaded" }).done;
  if (!withGguf) return;
  const embedded = { context_tokens: 4096, batch_tokens: 16 * threads, embeddings: false };
  const model = { "model.gguf": await blob("/gguf") };
  await gguf("wllama.load", { files: { "model.gguf": "" }, device: "wasm", threads, ...embedded }, model).done;
  const { Wllama } = await import(/** @type {string} */ ("/wllama/index.js"));
  wllama = new Wllama({ default: "/wllama/wasm/wllama.wasm" }, { suppressNativeLog: true });
  wllama.setCompat(null); // its fallback comes from a CDN
  await wllama.loadModel([model["model.gguf"]], { n_ctx: 4096, n_gpu_layers: 0, n_threads: threads, n_batch: 128, n_parallel: 4 });
}

/** @param {Message[]} messages @param {number} tokens @returns {Promise<any>} */
async function generate(messages, tokens, engine = ours, name = "transformers_js") {
  const payload = { messages, sampling: GREEDY, max_new_tokens: tokens, stop: [], continue_last: false, grammar: null };
  const { values } = await engine(`${name}.generate`, payload).done;
  const { finished } = values.at(-1);
  return { ...finished, text: values.slice(0, -1).map((/** @type {any} */ value) => value.text).join("") };
}

/** @param {"ours" | "gguf" | "plain" | "wllama"} engine @param {Message[]} messages @param {number} tokens @returns {Promise<number>} tokens/s */
async function decode(engine, messages, tokens) {
  if (engine === "ours" || engine === "gguf") {
    const { new_tokens, decode_ms } = await (engine === "ours" ? generate(messages, tokens) : generate(messages, tokens, gguf, "wllama"));
    return (1000 * (new_tokens - 1)) / decode_ms;
  }
  if (engine === "plain") {
    const { values } = await plain("generate", { messages, tokens }).done;
    return (1000 * (tokens - 1)) / values[0].decode_ms;
  }
  /** @type {number[]} */
  const times = [];
  const stream = await wllama.createChatCompletion({ messages, max_tokens: tokens, temperature: 0, stream: true });
  for await (const chunk of stream) if (chunk.choices?.[0]?.delta?.content) times.push(performance.now());
  return (1000 * (times.length - 1)) / (/** @type {number} */ (times.at(-1)) - times[0]);
}

/** Empties our cache. */
async function forget() {
  await ours("transformers_js.self_test", { prompt_ids: [1], steps: 1 }).done;
}

/**
 * Aborts a long prompt while it is read and asks the next thing at once.
 * @param {Message[]} long @param {Message[]} next @param {number} afterMs
 */
async function stop(long, next, afterMs) {
  await forget();
  const first = ours("transformers_js.generate", { messages: long, sampling: GREEDY, max_new_tokens: 1, stop: [] });
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  const aborted = performance.now();
  first.abort();
  const second = ours("transformers_js.generate", { messages: next, sampling: GREEDY, max_new_tokens: 2, stop: [] });
  const [one, two] = [await first.done, await second.done];
  if (one.values.length > 0) throw new Error("the prompt was read before it could be stopped");
  return { free_ms: one.ended - aborted, next_ms: two.first - aborted };
}

Object.assign(window, { load, generate, decode, forget, stop });
document.documentElement.dataset.ready = "";
