import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";

import { Failure, serve } from "../../site/worker.js";

/** @typedef {import("../../site/protocol.d.ts").Op} Op */

/**
 * A worker at the other end of a channel.
 * @param {Record<string, Op>} ops
 */
function connect(ops) {
  const { port1, port2 } = new MessageChannel();
  const classify = (/** @type {unknown} */ error) => ({ code: /** @type {const} */ ("engine_failed"), message: `classified ${error}` });
  serve("w", ops, classify, /** @type {any} */ (port2));
  port2.start();
  /** @type {any[]} */
  const replies = [];
  /** @type {Map<number, () => void>} */
  const finished = new Map();
  port1.on("message", (reply) => {
    replies.push(reply);
    if (reply.end || reply.error) finished.get(reply.id)?.();
  });
  return {
    replies,
    /** @param {any} request @returns {Promise<void>} when it has ended */
    send: (request) => {
      const end = new Promise((resolve) => finished.set(request.id, () => resolve(undefined)));
      port1.postMessage(request);
      return /** @type {Promise<void>} */ (end);
    },
    abort: (/** @type {number} */ id) => port1.postMessage({ id, abort: true }),
    close: () => port1.close(),
  };
}

const tick = () => new Promise((resolve) => setTimeout(resolve, 1));

test("values, then one end", async () => {
  const worker = connect({
    count: async function* ({ to }) {
      for (let i = 0; i < to; i++) yield i;
    },
  });
  await worker.send({ id: 1, op: "w.count", payload: { to: 2 } });
  assert.deepEqual(worker.replies, [{ id: 1, value: 0 }, { id: 1, value: 1 }, { id: 1, end: true }]);
  worker.close();
});

test("blobs reach the op, and none is an empty object", async () => {
  const worker = connect({ names: async function* (_, { blobs }) { yield Object.keys(blobs); } });
  await worker.send({ id: 1, op: "w.names", payload: {}, blobs: { "a.json": new Blob([]) } });
  await worker.send({ id: 2, op: "w.names", payload: {} });
  assert.deepEqual(worker.replies.filter((r) => r.value).map((r) => r.value), [["a.json"], []]);
  worker.close();
});

test("a Failure crosses as it is, anything else is classified", async () => {
  const worker = connect({
    known: async function* () { throw new Failure("context_overflow", "too long", { prompt_tokens: 9 }); },
    unknown: async function* () { throw new TypeError("x"); },
  });
  await worker.send({ id: 1, op: "w.known", payload: {} });
  await worker.send({ id: 2, op: "w.unknown", payload: {} });
  assert.deepEqual(worker.replies, [
    { id: 1, error: { code: "context_overflow", message: "too long", details: { prompt_tokens: 9 } } },
    { id: 2, error: { code: "engine_failed", message: "classified TypeError: x" } },
  ]);
  worker.close();
});

test("an op of another worker, or of none, is an error", async () => {
  const worker = connect({});
  for (const [i, op] of ["other.run", "w.run", "w", "w.constructor"].entries()) {
    await worker.send({ id: i, op, payload: {} });
  }
  assert.deepEqual(worker.replies.map((r) => r.error.code), Array(4).fill("engine_failed"));
  worker.close();
});

test("an abort reaches the signal, runs the op's finally, and is answered by end", async () => {
  let cleaned = false;
  const worker = connect({
    forever: async function* (_, { signal }) {
      try {
        for (let i = 0; ; i++) {
          yield i;
          await tick();
          if (signal.aborted) return;
        }
      } finally {
        cleaned = true;
      }
    },
  });
  const end = worker.send({ id: 1, op: "w.forever", payload: {} });
  await tick();
  worker.abort(1);
  await end;
  assert.ok(cleaned);
  assert.deepEqual(worker.replies.at(-1), { id: 1, end: true });
  worker.close();
});

test("an op that throws because it was aborted ends without an error, and shows no more values", async () => {
  const worker = connect({
    fetching: async function* (_, { signal }) {
      yield "begun";
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
    stubborn: async function* (_, { signal }) {
      yield "begun";
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      yield "too late";
    },
  });
  for (const [id, op] of [[1, "w.fetching"], [2, "w.stubborn"]]) {
    const end = worker.send({ id, op, payload: {} });
    await tick();
    worker.abort(Number(id));
    await end;
  }
  worker.abort(1); // long over: nothing happens
  assert.deepEqual(worker.replies, [1, 2].flatMap((id) => [{ id, value: "begun" }, { id, end: true }]));
  worker.close();
});

test("streams run side by side", async () => {
  const worker = connect({
    wait: async function* ({ ms }) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      yield ms;
    },
  });
  await Promise.all([worker.send({ id: 1, op: "w.wait", payload: { ms: 20 } }), worker.send({ id: 2, op: "w.wait", payload: { ms: 1 } })]);
  assert.deepEqual(worker.replies.filter((r) => r.value).map((r) => r.id), [2, 1]);
  worker.close();
});
