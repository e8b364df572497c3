import assert from "node:assert/strict";
import { test } from "node:test";

import { judge, requestHeaders, retryAfter } from "../../../site/store/response.js";
import { Failure } from "../../../site/worker.js";

const NOW = Date.parse("2026-11-21T07:00:00Z");
const PART = { offset: 100, length: 50, total: 1000, etag: null };
const WHOLE = { offset: 0, length: 1000, total: 1000, etag: null };

/**
 * @param {number} status
 * @param {Record<string, string>} [headers]
 * @param {import("../../../site/store/response.js").Part} [part]
 */
function answer(status, headers = {}, part = PART) {
  return judge({ status, headers: new Headers(headers) }, part, NOW);
}

/** @param {() => unknown} run @param {string} code @param {Record<string, unknown>} [details] */
function fails(run, code, details) {
  assert.throws(run, (error) => {
    assert.ok(error instanceof Failure);
    assert.equal(error.code, code);
    if (details) assert.deepEqual(error.details, details);
    return true;
  });
}

test("the range that was asked for", () => {
  assert.equal(answer(206, { "content-range": "bytes 100-149/1000" }), "take");
  assert.equal(answer(206, { "content-range": "bytes 100-149/*" }), "take");
  assert.equal(answer(206), "take", "another origin hides it");
});

test("a shorter range is allowed, another one is not", () => {
  assert.equal(answer(206, { "content-range": "bytes 100-120/1000" }), "take");
  for (const range of ["bytes 99-149/1000", "bytes 100-150/1000", "bytes 100-149/999", "bytes */1000", "items 1-2/3"]) {
    fails(() => answer(206, { "content-range": range }), "wrong_content");
  }
});

test("everything instead of a part", () => {
  assert.equal(answer(200, { "content-length": "1000" }), "range_ignored");
  assert.equal(answer(200), "range_ignored");
  assert.equal(answer(200, { "content-length": "1000" }, WHOLE), "take");
  assert.equal(answer(200, { "content-length": "400", "content-encoding": "gzip" }, WHOLE), "take");
  assert.equal(answer(200, { "content-length": "1000", "content-encoding": "identity" }, WHOLE), "take");
  fails(() => answer(200, { "content-length": "999" }), "wrong_content");
  fails(() => answer(200, { "content-length": "999" }, WHOLE), "wrong_content");
});

test("a page of a portal", () => {
  fails(() => answer(200, { "content-type": "text/html; charset=utf-8", etag: '"portal"' }, { ...PART, etag: '"1"' }), "wrong_content");
  fails(() => answer(206, { "content-type": "TEXT/HTML" }), "wrong_content");
});

test("another file under the same name", () => {
  const part = { ...PART, etag: '"1"' };
  fails(() => answer(206, { etag: '"2"' }, part), "file_changed");
  fails(() => answer(200, { etag: '"2"' }, part), "file_changed");
  fails(() => answer(412, {}, part), "file_changed");
  assert.equal(answer(206, { etag: 'W/"1"' }, part), "take");
  assert.equal(answer(206, {}, part), "take");
  assert.equal(answer(200, { etag: '"1"' }, part), "range_ignored");
});

test("every refusal has its code", () => {
  for (const status of [404, 410]) fails(() => answer(status), "file_missing", { status });
  for (const status of [401, 403]) fails(() => answer(status), "access_denied", { status });
  for (const status of [408, 425, 429, 500, 502, 503, 504, 599]) {
    fails(() => answer(status), "server_busy", { status, retry_after_s: null });
  }
  fails(() => answer(503, { "retry-after": "7" }), "server_busy", { status: 503, retry_after_s: 7 });
  fails(() => answer(416), "wrong_content");
  for (const status of [204, 304, 400, 402, 418, 451]) fails(() => answer(status), "server_refused", { status });
});

test("Retry-After in seconds, as a date, as nonsense", () => {
  assert.equal(retryAfter(null, NOW), null);
  assert.equal(retryAfter(" 120 ", NOW), 120);
  assert.equal(retryAfter("Sat, 21 Nov 2026 07:01:30 GMT", NOW), 90);
  assert.equal(retryAfter("Sat, 21 Nov 2026 06:00:00 GMT", NOW), 0);
  assert.equal(retryAfter("soon", NOW), null);
});

test("If-Range for strong tags on the own origin only", () => {
  assert.deepEqual(requestHeaders(PART, true), { Range: "bytes=100-149" });
  assert.deepEqual(requestHeaders({ ...PART, etag: '"1"' }, true), { Range: "bytes=100-149", "If-Range": '"1"' });
  assert.deepEqual(requestHeaders({ ...PART, etag: 'W/"1"' }, true), { Range: "bytes=100-149" });
  assert.deepEqual(requestHeaders({ ...PART, etag: '"1"' }, false), { Range: "bytes=100-149" });
});
