/**
 * One HTTP exchange with a server that the user named, and nothing about it decided here: which address may be asked,
 * how long to wait and what an answer means is Python's.
 */

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  const step = 0x8000; // arguments a call can have
  for (let start = 0; start < bytes.length; start += step) {
    text += String.fromCharCode(...bytes.subarray(start, start + step));
  }
  return btoa(text);
}

/** @param {unknown} cause */
const networkFailed = (cause) => ({ code: "network_failed", message: String(cause) });

/**
 * Emits {status, headers} once, then {bytes} (base64) as they arrive. A redirect is not followed: it has status 0. A
 * browser gives no reason for a failure (CORS, nobody there, a wrong certificate): network_failed.
 * @type {(payload: any, signal: AbortSignal, emit: (value: unknown) => void) => Promise<void>}
 */
export async function fetchStream({ url, method, headers, body }, signal, emit) {
  const answer = await fetch(url, {
    method, headers, body, signal,
    mode: "cors", credentials: "omit", referrerPolicy: "no-referrer", redirect: "manual", cache: "no-store",
  }).catch((cause) => { throw networkFailed(cause); });
  emit({ status: answer.status, headers: Object.fromEntries(answer.headers) });
  const reader = answer.body?.getReader();
  if (!reader) return;
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => { throw networkFailed(cause); });
    if (done) return;
    emit({ bytes: base64(value) });
  }
}
