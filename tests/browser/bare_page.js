/**
 * A page with nothing but one engine's worker, driven by a test: what the bridge does, without Python and without a store.
 */

/** @type {Worker | undefined} */
let worker;
let nextId = 1;
/** @type {Map<number, (reply: any) => void>} */
const listeners = new Map();

/** @param {string} url */
function start(url) {
  worker?.terminate();
  worker = new Worker(url, { type: "module" });
  worker.onmessage = ({ data }) => listeners.get(data.id)?.(data);
}

/**
 * @param {string} op
 * @param {unknown} payload
 * @param {{ blobs?: Record<string, Blob>, abortAfterMs?: number, abortAfterValues?: number }} [options]
 * @returns {Promise<{ values: any[], error: any, began: number, first: number, aborted: number, ended: number }>} times on
 *   performance.now()'s clock, 0 for what did not happen
 */
function call(op, payload, { blobs, abortAfterMs, abortAfterValues } = {}) {
  const id = nextId++;
  const told = { values: /** @type {any[]} */ ([]), error: null, began: performance.now(), first: 0, aborted: 0, ended: 0 };
  const abort = () => {
    if (told.aborted || told.ended) return;
    told.aborted = performance.now();
    worker?.postMessage({ id, abort: true });
  };
  return new Promise((resolve) => {
    listeners.set(id, (reply) => {
      if ("value" in reply) {
        told.first ||= performance.now();
        told.values.push(reply.value);
        if (told.values.length === abortAfterValues) abort();
        return;
      }
      told.error = reply.error ?? null;
      told.ended = performance.now();
      listeners.delete(id);
      resolve(told);
    });
    worker?.postMessage({ id, op, payload, blobs });
    if (abortAfterMs !== undefined) setTimeout(abort, abortAfterMs);
  });
}

/**
 * @param {string} base address of the model's folder
 * @param {string[]} names
 */
async function blobs(base, names) {
  const entries = names.map(async (name) => {
    const response = await fetch(`${base}/${name}`);
    if (!response.ok) throw new Error(`${name}: ${response.status}`);
    return [name, await response.blob()];
  });
  return Object.fromEntries(await Promise.all(entries));
}

Object.assign(window, { start, call, blobs });
document.documentElement.dataset.ready = "";
