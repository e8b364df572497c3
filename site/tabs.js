/**
 * What tabs of this origin tell each other. There is one channel object: what is posted through it is not heard by itself.
 */

/** @type {BroadcastChannel | null} */
let channel = null;

function opened() {
  channel ??= new BroadcastChannel("candil");
  return channel;
}

/** @param {unknown} value */
export function post(value) {
  opened().postMessage(value);
}

/**
 * @param {AbortSignal} signal
 * @param {(value: unknown) => void} emit
 * @returns {Promise<void>} when aborted
 */
export async function hear(signal, emit) {
  const listening = (/** @type {MessageEvent<unknown>} */ { data }) => emit(data);
  opened().addEventListener("message", listening);
  await new Promise((aborted) => signal.addEventListener("abort", aborted));
  opened().removeEventListener("message", listening);
}
