import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { fetchStream } from "../../site/fetch_stream.js";

/** @type {import("node:http").Server} */
let server;
let base = "";
/** @type {any[]} */
const seen = [];

before(async () => {
  server = createServer((request, response) => {
    seen.push({ method: request.method, headers: request.headers });
    if (request.url === "/moved") response.writeHead(302, { location: "/other" }).end();
    else if (request.url === "/cut") response.writeHead(200, { "content-length": "9" }).write("abc", () => response.destroy());
    else request.pipe(response.writeHead(418, { "retry-after": "3" }));
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  base = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
});
after(() => server.close());

/** @param {any} payload */
async function run(payload) {
  /** @type {any[]} */
  const values = [];
  await fetchStream({ headers: {}, method: "GET", body: null, ...payload }, new AbortController().signal, (value) => values.push(value));
  return values;
}

test("the head, then every byte as it is", async () => {
  const body = "🪔".repeat(20_000);
  const [head, ...chunks] = await run({ url: base, method: "POST", headers: { authorization: "Bearer k" }, body });
  assert.equal(head.status, 418);
  assert.equal(head.headers["retry-after"], "3");
  assert.equal(Buffer.concat(chunks.map(({ bytes }) => Buffer.from(bytes, "base64"))).toString(), body);
  assert.equal(seen.at(-1).headers.authorization, "Bearer k");
});

test("a redirect is told and not followed", async () => {
  seen.length = 0;
  const [head] = await run({ url: `${base}/moved` });
  assert.ok(head.status === 0 || head.status === 302); // a browser says 0, Node the status
  assert.equal(seen.length, 1);
});

test("nobody there, and a connection that breaks, are network failures", async () => {
  await assert.rejects(run({ url: "http://127.0.0.1:1" }), { code: "network_failed" });
  await assert.rejects(run({ url: `${base}/cut` }), { code: "network_failed" });
});
