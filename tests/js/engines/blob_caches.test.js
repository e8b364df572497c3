import assert from "node:assert/strict";
import { test } from "node:test";

import { blobCaches } from "../../../site/engines/blob_caches.js";

const BASE = "https://model.invalid/resolve/main/";
const cache = await blobCaches(BASE, { "a/b.json": new Blob(["{}"]) }).open();

test("what the store gave is there, by its path", async () => {
  assert.equal(await (await cache.match(`${BASE}a/b.json`))?.text(), "{}");
  assert.equal(await (await cache.match(new Request(`${BASE}a/b.json`)))?.text(), "{}");
  assert.deepEqual((await cache.keys()).map(({ url }) => url), [`${BASE}a/b.json`]);
});

test("anything else is missing, and is not fetched", async () => {
  assert.equal(await cache.match(`${BASE}toString`), undefined);
  await assert.rejects(cache.add(new Request(`${BASE}c.bin`)), { code: "file_missing", message: /c\.bin/ });
  assert.equal(await cache.delete(), false);
});
