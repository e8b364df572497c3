import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, test } from "node:test";

import { judgePeek } from "../../../site/store/response.js";
import { peek } from "../../../site/store/transfer.js";

const CONTENT = Buffer.from("GGUF and more of it, up to the end");
const never = new AbortController().signal;

/** @typedef {import("node:http").IncomingMessage} Asked @typedef {import("node:http").ServerResponse} Answer */
/** @type {Record<string, (asked: Asked, answer: Answer) => void>} */
const SERVERS = {
  ranges(asked, answer) {
    const [first, last] = /** @type {string} */ (asked.headers.range).slice(6).split("-").map(Number);
    const end = Math.min(last, CONTENT.length - 1);
    answer.writeHead(206, { "Content-Range": `bytes ${first}-${end}/${CONTENT.length}` });
    answer.end(CONTENT.subarray(first, end + 1));
  },
  hidden(asked, answer) {
    if (asked.method === "HEAD") return void answer.writeHead(200, { "Content-Length": CONTENT.length }).end();
    answer.writeHead(206).end(CONTENT.subarray(0, 4));
  },
  silent(asked, answer) {
    if (asked.method === "HEAD") return void answer.writeHead(200, { "Transfer-Encoding": "chunked" }).end();
    answer.writeHead(206).end(CONTENT.subarray(0, 4));
  },
  whole(_asked, answer) {
    answer.writeHead(200, { "Content-Length": CONTENT.length }).end(CONTENT);
  },
  page(_asked, answer) {
    answer.writeHead(200, { "Content-Type": "text/html" }).end("<title>Log in</title>");
  },
  gated(_asked, answer) {
    answer.writeHead(403).end();
  },
};
const server = createServer((asked, answer) => SERVERS[String(asked.url).slice(1)](asked, answer));
await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
after(() => server.closeAllConnections());
after(() => server.close());
const base = new URL(`http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}/`);

/** @param {string} url @param {number} offset @param {number} length */
async function looked(url, offset, length) {
  const { bytes, total } = await peek({ url, offset, length, idle_timeout_ms: 5000 }, base, never);
  return [Buffer.from(bytes, "base64").toString(), total];
}

test("a part, and how long the file is", async () => {
  assert.deepEqual(await looked("ranges", 5, 3), ["and", CONTENT.length]);
  assert.deepEqual(await looked("ranges", 30, 100), [" end", CONTENT.length], "fewer bytes where it ends");
});

test("a server that hides Content-Range is asked for the length", async () => {
  assert.deepEqual(await looked("hidden", 0, 4), ["GGUF", CONTENT.length]);
  await assert.rejects(looked("silent", 0, 4), { code: "wrong_content" });
});

test("of a server that ignores ranges only the part is taken", async () => {
  assert.deepEqual(await looked("whole", 5, 3), ["and", CONTENT.length]);
});

test("what is not the file is refused", async () => {
  await assert.rejects(looked("page", 0, 4), { code: "wrong_content" });
  await assert.rejects(looked("gated", 0, 4), { code: "access_denied" });
  const other = new Response(null, { status: 206, headers: { "Content-Range": "bytes 7-9/20" } });
  assert.throws(() => judgePeek(other, 0, 0), { code: "wrong_content" });
  const open = new Response(null, { status: 206, headers: { "Content-Range": "bytes 0-9/*" } });
  assert.deepEqual(judgePeek(open, 0, 0), { first: 0, total: null });
});
