/**
 * The worker llama.cpp runs in, as a file of this site: wllama starts it from a blob, which the policy refuses.
 *
 * wllama has no option for it, so `Worker` is exchanged in the one worker where wllama is the only one who makes any. The
 * build puts the same code into files (tools/build/wllama.py), and what wllama writes into the blob is passed in the name.
 */

const WORKER = new URL("../vendor/wllama/worker.js", import.meta.url);
const THREAD = new URL("../vendor/wllama/thread.js", import.meta.url);

/**
 * @param {{ threads: number, webgpu: boolean }} options what the next worker is made with; one thread is no pool
 * @param {(why: string) => void} onBroken it could not start or died: wllama would wait for ever
 */
export function serveWorkerFile({ threads, webgpu }, onBroken) {
  const Real = globalThis.Worker;
  globalThis.Worker = class extends Real {
    constructor() {
      super(WORKER, { type: "module", name: JSON.stringify({ threads: threads > 1 ? threads : 0, webgpu }) });
      this.addEventListener("error", (event) => onBroken(event.message || "llama.cpp's worker stopped"));
      globalThis.Worker = Real;
    }

    /** @param {any} message @param {any} [transfer] */
    postMessage(message, transfer) {
      if (message.verb === "module.init") message.args[0] = THREAD.href; // a blob of the threads' code
      super.postMessage(message, transfer);
    }
  };
}
