/**
 * What a server's answer to a range request means. Pure: no network, no files.
 *
 * A server may ignore Range and send everything (200, RFC 9110 14.2), may answer If-Range with
 * everything because the file changed, may be a portal that answers 200 with its own page.
 */
import { Failure } from "../worker.js";

/** @typedef {{ offset: number, length: number, total: number, etag: string | null }} Part what was asked for */
/** @typedef {{ status: number, headers: Headers }} Answer */

/**
 * @param {Part} part
 * @param {boolean} ownOrigin If-Range elsewhere would need a CORS preflight, which hubs refuse; there the answer's
 *   ETag and, at the end, the sha256 tell
 * @returns {Record<string, string>}
 */
export function requestHeaders(part, ownOrigin) {
  // Range also when all is wanted: browsers then ask for the bytes as they are, uncompressed (Fetch, HTTP-network fetch).
  const headers = { Range: `bytes=${part.offset}-${part.offset + part.length - 1}` };
  return part.etag && ownOrigin && !part.etag.startsWith("W/") ? { ...headers, "If-Range": part.etag } : headers;
}

/**
 * @param {Answer} answer @param {Part} part @param {number} now milliseconds, for a Retry-After date
 * @returns {"take" | "range_ignored"} throws Failure for every answer that is not the file
 */
export function judge(answer, part, now) {
  refuse(answer, now);
  refusePage(answer);
  const etag = answer.headers.get("etag");
  if (part.etag && etag && opaque(part.etag) !== opaque(etag)) throw changed();
  if (answer.status === 206) return matchRange(answer.headers.get("content-range"), part);
  const length = plainLength(answer.headers);
  if (length !== null && length !== part.total) throw wrong(`${length} bytes instead of ${part.total}`);
  return part.offset === 0 && part.length === part.total ? "take" : "range_ignored";
}

/** @param {Answer} answer @param {number} now throws Failure unless there is content in it */
export function refuse({ status, headers }, now) {
  if (status === 200 || status === 206) return;
  if (status === 404 || status === 410) throw new Failure("file_missing", `status ${status}`, { status });
  if (status === 401 || status === 403) throw new Failure("access_denied", `status ${status}`, { status });
  if (status === 412) throw changed();
  if (status === 416) throw wrong("the file is shorter than announced");
  if (status === 408 || status === 425 || status === 429 || status >= 500) {
    const retry_after_s = retryAfter(headers.get("retry-after"), now);
    throw new Failure("server_busy", `status ${status}`, { status, retry_after_s });
  }
  throw new Failure("server_refused", `status ${status}`, { status });
}

/** @param {Answer} answer */
function refusePage({ headers }) {
  if (/^text\/html\b/i.test(headers.get("content-type") ?? "")) throw wrong("a web page where the file should be");
}

/**
 * Of a file of which nothing is known yet.
 * @param {Answer} answer @param {number} offset what was asked for @param {number} now milliseconds
 * @returns {{ first: number, total: number | null }} where its body begins, and the file's length if it is told
 */
export function judgePeek(answer, offset, now) {
  refuse(answer, now);
  refusePage(answer);
  if (answer.status === 200) return { first: 0, total: plainLength(answer.headers) };
  const value = answer.headers.get("content-range");
  if (value === null) return { first: offset, total: null }; // other origins often hide it
  const match = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(value.trim());
  if (!match || Number(match[1]) !== offset) throw wrong(`Content-Range ${value}`);
  return { first: offset, total: match[2] === "*" ? null : Number(match[2]) };
}

/**
 * @param {string | null} value Retry-After: seconds or an HTTP date
 * @param {number} now milliseconds
 * @returns {number | null} seconds from now, null when there is none that makes sense
 */
export function retryAfter(value, now) {
  if (value === null) return null;
  if (/^\s*\d+\s*$/.test(value)) return Number(value);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, (at - now) / 1000);
}

/**
 * @param {string | null} value Content-Range; other origins often hide it
 * @param {Part} part
 * @returns {"take"}
 */
function matchRange(value, { offset, length, total }) {
  if (value === null) return "take";
  const match = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(value.trim());
  if (!match) throw wrong(`Content-Range ${value}`);
  const [first, last] = [Number(match[1]), Number(match[2])];
  // An earlier end is allowed (RFC 9110 15.3.7): the rest is asked for again.
  if (first !== offset || last >= offset + length) throw wrong(`bytes ${first}-${last} instead of ${offset}-${offset + length - 1}`);
  if (match[3] !== "*" && Number(match[3]) !== total) throw wrong(`a file of ${match[3]} bytes instead of ${total}`);
  return "take";
}

/** @param {Headers} headers @returns {number | null} the body's length, when it is told and not of a compressed form */
export function plainLength(headers) {
  const encoding = headers.get("content-encoding");
  const length = headers.get("content-length");
  return length === null || (encoding && encoding !== "identity") ? null : Number(length);
}

/** @param {string} etag without its weakness: proxies that compress add one */
function opaque(etag) {
  return etag.replace(/^W\//, "");
}

function changed() {
  return new Failure("file_changed", "the file is no longer the one the download began with");
}

/** @param {string} message */
function wrong(message) {
  return new Failure("wrong_content", message);
}
