/**
 * The page's end of the seam between Python and JavaScript: gives every stream an id, finds the worker
 * by the op's first word, and carries replies to Python in batches, at most one per animation frame.
 * It decides nothing; what crosses is described in protocol.d.ts.
 */
import { device } from "./device.js";
import { fetchStream } from "./fetch_stream.js";
import { forget } from "./forget.js";
import { applyUpdate, keep, register } from "./offline.js";
import { DB_OPS } from "./storage.js";
import { hear, post } from "./tabs.js";

/** @typedef {import("./protocol").WorkerReply} WorkerReply */
/** @typedef {import("./protocol").WireError} WireError */
/** @typedef {{ worker: string, abort: () => void }} Stream */

const WORKERS = /** @type {Record<string, string>} */ ({
  store: "./store/store.js",
  transformers_js: "./engines/transformers_js.js",
  webllm: "./engines/webllm.js",
  digits: "./engines/digits.js",
  wllama: "./engines/wllama.js",
  pdf: "./pdf.js",
});

/** @type {Map<string, Worker>} */
const workers = new Map();
/** @type {Map<number, Stream>} */
const streams = new Map();
/** @type {Map<string, File>} files the user gave, by the names Python gave them */
const picked = new Map();
/** @type {WorkerReply[]} */
let waiting = [];
/** @type {(batch: string) => void} */
let deliver = () => {};
let nextId = 1;
let scheduled = false;

/**
 * @param {(batch: string) => void} onBatch called with a JSON array of WorkerReply; never called again for a stream
 *   after its end or error
 */
export function connect(onBatch) {
  deliver = onBatch;
}

/**
 * @param {string} op "<worker>.<verb>"
 * @param {string} payload JSON
 * @returns {number} the stream's id, for `abort`
 */
export function open(op, payload) {
  const id = nextId++;
  const worker = op.split(".", 1)[0];
  const body = JSON.parse(payload);
  if (worker in WORKERS) void ask(worker, id, op, body);
  else void answerHere(id, op, body);
  return id;
}

/** Aborts a stream; unknown or ended ones are fine. Nothing more of it is delivered. @param {number} id */
export function abort(id) {
  streams.get(id)?.abort();
  streams.delete(id);
  waiting = waiting.filter((reply) => reply.id !== id);
}

/** Python reads and uses a file of the user's by this name until it is released. @param {string} name @param {File} file */
export function hold(name, file) {
  picked.set(name, file);
}

/** @param {string} name */
export function release(name) {
  picked.delete(name);
}

const UNFINISHED = "[data-tex], [data-highlight]";

/** Colours code and sets formulas in an element, once what does that is here. @param {Element} element */
export function finish(element) {
  if (!element.matches(UNFINISHED) && !element.querySelector(UNFINISHED)) return;
  import("./finish/finish.js").then((module) => module.finish(element)).catch(() => {}); // offline: it stays plain text
}

/** @param {string} worker @param {number} id @param {string} op @param {any} payload */
async function ask(worker, id, op, payload) {
  let aborted = false;
  streams.set(id, { worker, abort: () => { aborted = true; } });
  try {
    const blobs = op.endsWith(".load") || op === "store.import" ? await openFiles(payload.files) : undefined;
    if (aborted) return;
    const port = running(worker);
    streams.set(id, { worker, abort: () => port.postMessage({ id, abort: true }) });
    port.postMessage({ id, op, payload, blobs });
  } catch (error) {
    receive({ id, error: asWireError(error) });
  }
}

/**
 * Engines get files as Blobs, so nothing is copied and no engine knows the store, or whether the user picked them.
 * @param {Record<string, string>} files name -> sha256, or the name of a picked file
 * @returns {Promise<Record<string, Blob>>} in the same order
 */
async function openFiles(files) {
  const wanted = Object.entries(files);
  const stored = wanted.filter(([, id]) => !picked.has(id));
  const blobs = stored.length ? await openStored(Object.fromEntries(stored)) : {};
  return Object.fromEntries(wanted.map(([name, id]) => [name, picked.get(id) ?? blobs[name]]));
}

/** @param {Record<string, string>} files name -> sha256 @returns {Promise<Record<string, Blob>>} */
function openStored(files) {
  return new Promise((resolve, reject) => {
    const id = nextId++;
    /** @param {MessageEvent<any>} event */
    const hear = ({ data }) => {
      if (data.id !== id) return;
      if (data.value) return resolve(data.value.blobs);
      if (data.error) reject(data.error);
      worker.removeEventListener("message", hear);
    };
    const worker = running("store");
    worker.addEventListener("message", hear);
    worker.postMessage({ id, op: "store.open", payload: { files } });
  });
}

/** @param {string} name @returns {Worker} the running worker of that name, started if need be */
function running(name) {
  const known = workers.get(name);
  if (known) return known;
  const worker = new Worker(new URL(WORKERS[name], import.meta.url), { type: "module", name });
  worker.addEventListener("message", ({ data }) => receive(data));
  worker.addEventListener("error", (event) => fail(name, event.message || "the worker stopped"));
  workers.set(name, worker);
  return worker;
}

/** Every open stream of a worker that is gone ends with an error. @param {string} name @param {string} message */
function fail(name, message) {
  workers.get(name)?.terminate();
  workers.delete(name);
  for (const [id, stream] of streams) {
    if (stream.worker === name) receive({ id, error: { code: "engine_failed", message } });
  }
}

/** @param {WorkerReply} reply */
function receive(reply) {
  if (!streams.has(reply.id)) return; // aborted, or the bridge's own
  const last = waiting.at(-1);
  if (last && isText(last) && isText(reply) && last.id === reply.id) last.value.text += reply.value.text;
  else waiting.push(reply);
  if ("value" in reply) return schedule();
  streams.delete(reply.id);
  flush(); // an end is waited for: not a frame later
}

/** @param {WorkerReply} reply @returns {reply is { id: number, value: { text: string } }} */
function isText(reply) {
  return "value" in reply && typeof (/** @type {any} */ (reply.value)?.text) === "string";
}

function schedule() {
  if (scheduled) return;
  scheduled = true;
  // A hidden tab has no frames, and the answer must still be kept as it grows.
  if (document.hidden) setTimeout(flush, 100);
  else requestAnimationFrame(flush);
}

function flush() {
  scheduled = false;
  if (!waiting.length) return;
  const batch = waiting;
  waiting = [];
  deliver(JSON.stringify(batch));
}
document.addEventListener("visibilitychange", flush); // a frame asked for just before hiding never comes

/** @param {unknown} error @returns {WireError} */
function asWireError(error) {
  const e = /** @type {any} */ (error);
  return { code: e?.code && typeof e.code === "string" ? e.code : "engine_failed", message: String(e?.message ?? error), details: e?.details };
}

// ---- ops the page answers itself ----

/** @typedef {(payload: any, signal: AbortSignal, emit: (value: unknown) => void) => Promise<void>} PageOp */

/** Modules of such ops, each loaded with the first of its own. */
const PAGE_MODULES = /** @type {Record<string, string>} */ ({
  builtin_ai: "./engines/builtin_ai.js",
  plugins: "./plugins/plugins.js",
  summarizer: "./engines/summarizer.js",
});

const PAGE_OPS = /** @type {Record<string, PageOp>} */ ({
  ...DB_OPS,
  async "page.replace_worker"({ worker }) {
    fail(worker, "replaced");
  },
  async "page.persist"(_payload, _signal, emit) {
    emit({ persisted: (await navigator.storage?.persist?.()) ?? false });
  },
  async "page.device"(_payload, _signal, emit) {
    emit(await device());
  },
  async "page.keep"({ group }, signal, emit) {
    await keep(group, { signal, onProgress: emit });
  },
  async "page.read"({ url }, signal, emit) {
    const answer = await fetch(url, { signal, cache: "no-cache" }).catch((cause) => {
      throw { code: "network_failed", message: String(cause) };
    });
    if (!answer.ok) throw { code: answer.status === 404 ? "file_missing" : "server_refused", message: url, details: { status: answer.status } };
    emit({ body: await answer.text() });
  },
  /** Holds a Web Lock for as long as the stream lives; see protocol.d.ts. */
  async "page.lock"({ name, steal }, signal, emit) {
    if (!navigator.locks) return emit({ held: true });
    const ended = new Promise((end) => signal.addEventListener("abort", end));
    /** @param {LockOptions} how */
    const hold = (how) => navigator.locks.request(name, how, async (lock) => {
      emit({ held: lock !== null });
      if (lock) await ended;
    }).catch(() => emit({ held: false })); // another tab took it, or the wait was aborted
    await hold(steal ? { steal: true } : { ifAvailable: true });
    while (!signal.aborted) await hold({ signal });
  },
  async "page.post"({ value }) {
    post(value);
  },
  async "page.posts"(_payload, signal, emit) {
    await hear(signal, (value) => emit({ value }));
  },
  async "page.updates"(_payload, signal, emit) {
    register({ onUpdate: () => emit({ ready: true }) });
    await new Promise((ended) => signal.addEventListener("abort", ended));
  },
  async "page.apply_update"() {
    applyUpdate();
  },
  "page.fetch_stream": fetchStream,
  "page.forget": forget,
});

/** @param {number} id @param {string} op @param {any} payload */
async function answerHere(id, op, payload) {
  const controller = new AbortController();
  streams.set(id, { worker: "page", abort: () => controller.abort() });
  try {
    const module = PAGE_MODULES[op.split(".", 1)[0]];
    const ops = module ? (await import(module)).OPS : PAGE_OPS;
    await ops[op](payload, controller.signal, (/** @type {unknown} */ value) => receive({ id, value }));
    receive({ id, end: true });
  } catch (error) {
    receive({ id, error: asWireError(error) });
  }
}
