/** Waiting: for one's turn at something only one may use, and for the worker's own messages. */

/** Lets one holder in at a time, in the order they asked. */
export class Turns {
  #last = Promise.resolve();

  /** @returns {Promise<() => void>} resolves when it is this one's turn; call what it gives to let the next one in */
  async take() {
    const before = this.#last;
    /** @type {() => void} */
    let done = () => {};
    this.#last = new Promise((resolve) => (done = resolve));
    await before;
    return done;
  }
}

/**
 * A way to wait until the messages that have arrived are handled. A message to oneself comes after those; unlike a timer
 * it costs microseconds, so it can be done after every token.
 *
 * @returns {() => Promise<void>}
 */
export function createPause() {
  const { port1, port2 } = new MessageChannel();
  /** @type {(() => void)[]} */
  const waiting = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(null);
    });
}

/**
 * What a callback is given, one by one. Left early, it ends only when `run` has.
 *
 * @template T
 * @param {(push: (value: T) => void) => Promise<unknown>} run
 * @returns {AsyncGenerator<T, void>}
 */
export async function* given(run) {
  /** @type {T[]} */
  const waiting = [];
  let wake = () => {};
  let ended = false;
  const running = run((value) => {
    waiting.push(value);
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  running.catch(() => {}); // it is looked at below
  try {
    while (!ended || waiting.length > 0) {
      if (waiting.length > 0) yield /** @type {T} */ (waiting.shift());
      else await new Promise((/** @type {(value: void) => void} */ resolve) => (wake = resolve));
    }
  } finally {
    await running;
  }
}
