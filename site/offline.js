/**
 * The page's side of the service worker (sw.js): registers it, passes on updates, has engine code kept.
 * Without service workers everything works, only not offline.
 */

const STALL_MS = 30_000; // nothing received for so long: the connection is gone

/** @typedef {{ code: "network_failed" | "hash_mismatch" | "offline_unavailable", message: string }} OfflineError */

/** @type {Promise<ServiceWorkerRegistration | null> | undefined} */
let registration;
let applying = false;

/** @returns {Promise<ServiceWorkerRegistration | null>} null where there are no service workers */
function registered() {
  registration ??= (async () => {
    try {
      return (await navigator.serviceWorker?.register("./sw.js", { updateViaCache: "none" })) ?? null;
    } catch (error) {
      console.warn("Not available offline:", error);
      return null;
    }
  })();
  return registration;
}

/**
 * @param {{ onUpdate: () => void }} options `onUpdate` is called when a newer version waits, and when another tab
 *   has switched to it; nothing happens to this page until `applyUpdate`
 */
export async function register({ onUpdate }) {
  const found = await registered();
  if (!found) return;
  const hadController = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    if (applying) location.reload();
    else if (hadController) onUpdate();
  });
  if (found.waiting) onUpdate();
  found.addEventListener("updatefound", () => {
    const { installing } = found;
    installing?.addEventListener("statechange", () => {
      if (installing.state === "installed" && navigator.serviceWorker.controller) onUpdate();
    });
  });
}

/** Switches to the newest version: the page reloads. */
export async function applyUpdate() {
  const waiting = (await registered())?.waiting;
  applying = true;
  if (waiting) waiting.postMessage("SKIP_WAITING");
  else location.reload(); // another tab has switched already
}

/**
 * Makes sure every file of an engine's group is kept, so that it works offline.
 * @param {string} group "transformers_js:wasm"
 * @param {{ signal?: AbortSignal, onProgress?: (progress: { received: number, total: number }) => void }} [options]
 *   bytes as they are on disk; on the wire they are fewer
 * @throws {OfflineError}
 */
export async function keep(group, { signal, onProgress = () => {} } = {}) {
  const worker = await active();
  signal?.throwIfAborted();
  const { port1: port, port2 } = new MessageChannel();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let stalled;
  const abort = () => port.postMessage("abort");
  signal?.addEventListener("abort", abort);
  try {
    await new Promise((resolve, reject) => {
      const wait = () => {
        clearTimeout(stalled);
        stalled = setTimeout(() => reject({ code: "network_failed", message: "stalled" }), STALL_MS);
      };
      port.onmessage = ({ data }) => {
        wait();
        if (data.done) resolve(undefined);
        else if (data.error) reject(signal?.aborted ? signal.reason : data.error);
        else onProgress(data);
      };
      wait();
      worker.postMessage({ keep: group }, [port2]);
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    clearTimeout(stalled);
    abort();
    port.close();
  }
}

/** The active worker, waiting for the first installation. @returns {Promise<ServiceWorker>} */
async function active() {
  const found = await registered();
  if (found?.active) return found.active;
  const coming = found?.installing ?? found?.waiting;
  if (!coming) throw { code: "offline_unavailable", message: "no service worker" };
  return new Promise((resolve, reject) => {
    coming.addEventListener("statechange", () => {
      if (coming.state === "activated") resolve(coming);
      if (coming.state === "redundant") reject({ code: "offline_unavailable", message: "installation failed" });
    });
  });
}
