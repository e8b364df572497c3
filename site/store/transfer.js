/**
 * One range request, from the network into a partial.
 */
import { Failure } from "../worker.js";
import { isFull } from "./classify.js";
import { judge, judgePeek, plainLength, refuse, requestHeaders } from "./response.js";

/** @typedef {import("./response").Part} Part */
/** @typedef {Part & { url: string, idle_timeout_ms: number }} Request */
/** @typedef {{ received: number, etag?: string | null, range_ignored?: true }} Step */

const REPORT_MS = 100;

/** Ends a request that says nothing for a while; `signal` also follows the caller's. */
class Watch {
  #silent = new AbortController();
  #timer = 0;

  /** @param {AbortSignal} signal @param {number} ms */
  constructor(signal, ms) {
    this.ms = ms;
    this.caller = signal;
    this.signal = AbortSignal.any([signal, this.#silent.signal]);
    this.heard();
  }

  heard() {
    clearTimeout(this.#timer);
    this.#timer = Number(setTimeout(() => this.#silent.abort(), this.ms));
  }

  /** Also closes the connection. */
  stop() {
    clearTimeout(this.#timer);
    this.#silent.abort();
  }

  /** @param {unknown} error what fetch or a read threw */
  reason(error) {
    if (this.#silent.signal.aborted) return new Failure("network_failed", `nothing came for ${this.ms / 1000} s`);
    return new Failure("network_failed", error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {Request} request
 * @param {URL} base what a relative `url` is relative to
 * @param {import("./disk").PartialFile} file
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Step, void>} see store.fetch in protocol.d.ts; ends quietly after an abort
 */
export async function* transfer(request, base, file, signal) {
  const watch = new Watch(signal, request.idle_timeout_ms);
  try {
    const response = await ask(request, base, watch);
    if (judge(response, request, Date.now()) === "range_ignored") {
      yield { received: 0, range_ignored: true };
      return;
    }
    const etag = response.headers.get("etag");
    for await (const received of receive(response, request, file, watch)) yield { received, etag };
    file.flush();
    yield { received: request.length, etag };
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    watch.stop();
  }
}

/**
 * A small text: what a hub says of a repository, or has in it.
 *
 * @param {{ url: string, idle_timeout_ms: number }} request @param {URL} base @param {AbortSignal} signal
 * @returns {Promise<string>}
 */
export async function read(request, base, signal) {
  const watch = new Watch(signal, request.idle_timeout_ms);
  try {
    const response = await get(new URL(request.url, base), {}, watch);
    refuse(response, Date.now());
    return await response.text().catch((error) => Promise.reject(watch.reason(error)));
  } finally {
    watch.stop();
  }
}

/**
 * A part of a file of which nothing is known yet; see store.peek in protocol.d.ts.
 * @param {{ url: string, offset: number, length: number, idle_timeout_ms: number }} request
 * @param {URL} base @param {AbortSignal} signal
 * @returns {Promise<{ bytes: string, total: number }>}
 */
export async function peek({ url, offset, length, idle_timeout_ms }, base, signal) {
  const watch = new Watch(signal, idle_timeout_ms);
  try {
    const address = new URL(url, base);
    const response = await get(address, { Range: `bytes=${offset}-${offset + length - 1}` }, watch);
    const { first, total } = judgePeek(response, offset, Date.now());
    const bytes = await part(response, offset - first, length, watch);
    return { bytes: base64(bytes), total: total ?? (await announced(address, watch)) };
  } finally {
    watch.stop();
  }
}

/** @param {Response} response @param {number} from @param {number} length @param {Watch} watch */
async function part(response, from, length, watch) {
  const reader = response.body?.getReader();
  const bytes = new Uint8Array(length);
  let at = -from;
  for (let piece = reader && (await nextBytes(reader, watch)); reader && piece; ) {
    const fits = piece.subarray(Math.max(0, -at), length - at);
    bytes.set(fits, Math.max(0, at));
    at += piece.byteLength;
    piece = at < length ? await nextBytes(reader, watch) : null;
  }
  return bytes.subarray(0, Math.max(0, Math.min(at, length)));
}

/** Where Content-Range is hidden: the length of the whole file. @param {URL} url @param {Watch} watch */
async function announced(url, watch) {
  const response = await get(url, {}, watch, "HEAD");
  refuse(response, Date.now());
  const length = plainLength(response.headers);
  if (length === null) throw new Failure("wrong_content", "the server does not say how long the file is");
  return length;
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 1 << 15) text += String.fromCharCode(...bytes.subarray(at, at + (1 << 15)));
  return btoa(text);
}

/** @param {Request} request @param {URL} base @param {Watch} watch */
function ask(request, base, watch) {
  const url = new URL(request.url, base);
  return get(url, requestHeaders(request, url.origin === base.origin), watch);
}

/** @param {URL} url @param {Record<string, string>} headers @param {Watch} watch */
async function get(url, headers, watch, method = "GET") {
  try {
    return await fetch(url, {
      method,
      headers,
      cache: "no-store", // gigabytes that are kept elsewhere; Firefox also breaks long streams through its cache
      credentials: "omit",
      referrerPolicy: "no-referrer",
      signal: watch.signal,
    });
  } catch (error) {
    throw watch.reason(error);
  }
}

/**
 * @param {Response} response @param {Request} request @param {import("./disk").PartialFile} file @param {Watch} watch
 * @returns {AsyncGenerator<number, void>} bytes so far
 */
async function* receive(response, request, file, watch) {
  const reader = response.body?.getReader();
  let received = 0;
  let reported = performance.now();
  for (;;) {
    const bytes = reader ? await nextBytes(reader, watch) : null;
    if (watch.caller.aborted) throw watch.caller.reason; // before the write: the partial may be gone
    if (bytes === null) break;
    if (received + bytes.byteLength > request.length) throw new Failure("wrong_content", "more bytes than asked for");
    put(file, request, received, bytes);
    received += bytes.byteLength;
    if (performance.now() - reported >= REPORT_MS) {
      yield received;
      reported = performance.now();
    }
  }
  if (received < request.length) {
    yield received;
    throw new Failure("transfer_truncated", `${received} of ${request.length} bytes`);
  }
}

/** @param {ReadableStreamDefaultReader<Uint8Array>} reader @param {Watch} watch @returns {Promise<Uint8Array | null>} */
async function nextBytes(reader, watch) {
  try {
    const { done, value } = await reader.read();
    watch.heard();
    return done ? null : value;
  } catch (error) {
    throw watch.reason(error);
  }
}

/** @param {import("./disk").PartialFile} file @param {Request} request @param {number} received @param {Uint8Array} bytes */
function put(file, request, received, bytes) {
  try {
    file.write(request.offset + received, bytes);
  } catch (error) {
    if (!isFull(error)) throw error;
    throw new Failure("quota_exceeded", "no room for the file", { bytes_needed: request.length - received });
  }
}
