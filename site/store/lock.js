/**
 * One tab at a time changes the store: a Web Lock, which the browser frees when the tab dies.
 */
import { Failure } from "../worker.js";

const NAME = "candil-store";

/**
 * @param {boolean} shared whether other tabs see this store at all; the in-memory one is the tab's own
 * @param {boolean} wait @param {AbortSignal} signal
 * @returns {AsyncGenerator<{ held: boolean }, void>} holds the lock until the signal, see store.lock in protocol.d.ts
 */
export async function* holdLock(shared, wait, signal) {
  let release = shared && navigator.locks ? await take({ ifAvailable: true }) : () => {};
  if (!release) {
    if (!wait) throw new Failure("engine_busy", "another tab changes the store");
    yield { held: false };
    release = await take({ signal }).catch((error) => {
      if (signal.aborted) return null;
      throw error;
    });
  }
  if (!release) return;
  try {
    yield { held: true };
    await aborted(signal);
  } finally {
    release();
  }
}

/** @param {LockOptions} options @returns {Promise<(() => void) | null>} what frees it; null when it is not available */
function take(options) {
  return new Promise((resolve, reject) => {
    const held = navigator.locks.request(NAME, options, (lock) => {
      if (!lock) return resolve(null);
      return new Promise((release) => resolve(() => release(undefined)));
    });
    held.catch(reject);
  });
}

/** @param {AbortSignal} signal @returns {Promise<void>} */
function aborted(signal) {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
