/**
 * SHA-256 of files that are still growing, and of those that should not have changed.
 */

/** @typedef {{ update(bytes: Uint8Array): unknown, digest(): Uint8Array }} Hasher */
/** @typedef {{ at: number, hasher: Hasher, sha256?: string }} Running */
/** @typedef {{ hashed: number, sha256?: string }} Step */

const BLOCK = 1 << 20;
const REPORT_MS = 100;

/** Lets messages and network in: hashing is the one thing here that could keep the thread. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(0);
  });
}

/** @param {Uint8Array} bytes */
function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The running hash of every partial, by the sha256 it should have. */
export class RunningHashes {
  /** @type {Map<string, Running>} */
  #running = new Map();

  /** @param {() => Hasher} create */
  constructor(create) {
    this.create = create;
  }

  /** Its bytes are no longer those that were hashed. @param {string} sha256 */
  forget(sha256) {
    this.#running.delete(sha256);
  }

  /**
   * Goes on from where the last call for this partial stopped, from 0 in a new worker.
   * @param {{ sha256: string, upto: number, total: number }} request
   * @param {import("./disk").PartialFile} file
   * @param {AbortSignal} signal
   * @returns {AsyncGenerator<Step, void>} {sha256} in the last when upto is total
   */
  async *extend({ sha256, upto, total }, file, signal) {
    const running = this.#running.get(sha256) ?? { at: 0, hasher: this.create() };
    this.#running.set(sha256, running);
    const block = new Uint8Array(BLOCK);
    let reported = performance.now();
    while (running.at < upto && !signal.aborted) {
      const count = file.read(running.at, block.subarray(0, Math.min(BLOCK, upto - running.at)));
      if (count === 0) throw new Error(`the file ends at ${running.at}, before ${upto}`);
      running.hasher.update(block.subarray(0, count));
      running.at += count;
      if (performance.now() - reported >= REPORT_MS) {
        yield { hashed: running.at };
        reported = performance.now();
      }
      await breathe();
    }
    if (signal.aborted) return;
    if (upto === total) running.sha256 ??= hex(running.hasher.digest());
    yield running.sha256 ? { hashed: running.at, sha256: running.sha256 } : { hashed: running.at };
  }
}

/**
 * @param {Blob} blob @param {() => Hasher} create @param {AbortSignal} signal
 * @param {(at: number, bytes: Uint8Array<ArrayBuffer>) => void} [onBlock] is given every block that was hashed
 * @returns {AsyncGenerator<Step, void>} {sha256} in the last
 */
export async function* hashOf(blob, create, signal, onBlock = () => {}) {
  const hasher = create();
  let reported = performance.now();
  for (let at = 0; at < blob.size; at += 4 * BLOCK) {
    const bytes = new Uint8Array(await blob.slice(at, at + 4 * BLOCK).arrayBuffer());
    if (signal.aborted) return;
    hasher.update(bytes);
    onBlock(at, bytes);
    if (performance.now() - reported < REPORT_MS) continue;
    yield { hashed: at };
    reported = performance.now();
  }
  yield { hashed: blob.size, sha256: hex(hasher.digest()) };
}
