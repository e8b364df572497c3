import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { MemoryDisk } from "../../../site/store/memory.js";
import { read, transfer } from "../../../site/store/transfer.js";
import { Failure } from "../../../site/worker.js";

/** @typedef {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse) => void} Handler */

/** @type {Handler} */
let handle = () => {};
const server = createServer((request, response) => handle(request, response));
/** @type {URL} */
let base;
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = new URL(`http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}/`);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

const ASK = { url: "f", offset: 2, length: 4, total: 10, etag: null, idle_timeout_ms: 2000 };

/** @param {Partial<typeof ASK>} [changes] @param {AbortSignal} [signal] */
async function run(changes = {}, signal = new AbortController().signal) {
  const file = await new MemoryDisk().open("a".repeat(64));
  file.grow(10);
  const steps = [];
  for await (const step of transfer({ ...ASK, ...changes }, base, file, signal)) steps.push(step);
  const bytes = new Uint8Array(10);
  file.read(0, bytes);
  return { steps, bytes: [...bytes] };
}

/** @param {number} status @param {Record<string, string>} headers @param {number[]} body @returns {Handler} */
function says(status, headers, body) {
  return (_request, response) => response.writeHead(status, headers).end(Uint8Array.from(body));
}

/** @param {Promise<unknown>} running @param {string} code */
async function fails(running, code) {
  await assert.rejects(running, (error) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    return true;
  });
}

test("the bytes land where they belong", async () => {
  handle = says(206, { "content-range": "bytes 2-5/10", etag: '"1"' }, [3, 4, 5, 6]);
  assert.deepEqual(await run(), { steps: [{ received: 4, etag: '"1"' }], bytes: [0, 0, 3, 4, 5, 6, 0, 0, 0, 0] });
});

test("a server without ranges", async () => {
  handle = says(200, {}, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual((await run()).steps, [{ received: 0, range_ignored: true }]);
  assert.deepEqual((await run({ offset: 0, length: 10 })).bytes, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test("too little and too much", async () => {
  handle = says(206, {}, [1, 2]);
  await fails(run(), "transfer_truncated");
  handle = says(206, {}, [1, 2, 3, 4, 5]);
  await fails(run(), "wrong_content");
  handle = says(206, {}, []);
  await fails(run(), "transfer_truncated");
});

test("nobody there, and a connection that breaks", async () => {
  await fails(run({ url: "http://127.0.0.1:1/f" }), "network_failed");
  handle = (_request, response) => {
    response.writeHead(206, { "content-length": "4" }).write(Uint8Array.from([1]));
    setTimeout(() => response.destroy(), 20);
  };
  await fails(run(), "network_failed");
});

test("silence before and after the first byte", async () => {
  handle = () => {};
  await fails(run({ idle_timeout_ms: 50 }), "network_failed");
  handle = (_request, response) => void response.writeHead(206, { "content-length": "4" }).write(Uint8Array.from([1]));
  await fails(run({ idle_timeout_ms: 50 }), "network_failed");
});

test("an abort ends it quietly, and the connection with it", async () => {
  const controller = new AbortController();
  const closed = new Promise((resolve) => {
    handle = (request, response) => {
      request.socket.on("close", resolve);
      response.writeHead(206, { "content-length": "4" }).write(Uint8Array.from([1]));
      setTimeout(() => controller.abort(), 20);
    };
  });
  assert.deepEqual((await run({}, controller.signal)).steps, []);
  await closed;
});

test("a disk that is full says how much is missing", async () => {
  handle = says(206, {}, [1, 2, 3, 4]);
  const file = await new MemoryDisk().open("a".repeat(64));
  file.write = () => {
    throw new Failure("quota_exceeded", "full");
  };
  const steps = transfer(ASK, base, file, new AbortController().signal);
  await assert.rejects(steps.next(), (error) => error instanceof Failure && error.details.bytes_needed === 4);
});

test("a small text is read whole, or refused as any file is", async () => {
  const request = { url: "about", idle_timeout_ms: 50 };
  const ask = () => read(request, base, new AbortController().signal);
  handle = (_request, response) => response.writeHead(200, {}).end("Ñandú");
  assert.equal(await ask(), "Ñandú");
  handle = says(429, { "retry-after": "3" }, []);
  await assert.rejects(ask(), (error) => error instanceof Failure && error.details.retry_after_s === 3);
  handle = says(401, {}, []);
  await fails(ask(), "access_denied");
  handle = (_request, response) => void response.writeHead(200, { "content-length": "4" }).write("a");
  await fails(ask(), "network_failed");
});
