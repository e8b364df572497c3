import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import { sha256 } from "@noble/hashes/sha2.js";

import { MemoryDisk } from "../../../site/store/memory.js";
import { operations } from "../../../site/store/ops.js";

const CONTENT = randomBytes(9 * (1 << 20) + 5);
const HASH = createHash("sha256").update(CONTENT).digest("hex");
const NAME = "0".repeat(64);

/** @param {Blob} file @param {AbortSignal} [signal] */
function importing(file, signal = new AbortController().signal) {
  const disk = new MemoryDisk();
  const ops = operations(Promise.resolve(disk), () => sha256.create(), new URL("https://site.test/"));
  return { disk, ops, steps: ops.import({ sha256: NAME }, { signal, blobs: { file } }) };
}

/** @param {AsyncIterable<any>} steps */
async function all(steps) {
  const found = [];
  for await (const step of steps) found.push(step);
  return found;
}

test("a picked file is copied and hashed in one pass, and kept under its hash", async () => {
  const { disk, ops, steps } = importing(new File([CONTENT], "m.gguf"));
  const said = await all(steps);
  assert.deepEqual(said.at(-1), { hashed: CONTENT.byteLength, sha256: HASH });
  await all(ops.commit({ sha256: NAME, as: HASH }, { signal: new AbortController().signal, blobs: {} }));
  const blob = await disk.blob(HASH);
  assert.ok(blob && Buffer.from(await blob.arrayBuffer()).equals(CONTENT));
  assert.equal((await disk.list()).partials.length, 0);
});

test("after an abort nothing more is written and no hash is claimed", async () => {
  const controller = new AbortController();
  const file = new File([CONTENT], "m.gguf");
  const slice = file.slice.bind(file);
  file.slice = (start = 0, end) => {
    if (start > 0) controller.abort();
    return slice(start, end);
  };
  const { disk, steps } = importing(file, controller.signal);
  assert.ok((await all(steps)).every((step) => !("sha256" in step)));
  assert.equal((await disk.open(NAME)).size(), 4 << 20);
});

for (const name of ["NotReadableError", "NotFoundError"]) {
  test(`a file that is gone from the disk says so (${name})`, async () => {
    const file = new File([CONTENT], "m.gguf");
    file.slice = () => /** @type {any} */ ({ arrayBuffer: () => Promise.reject(new DOMException("gone", name)) });
    await assert.rejects(all(importing(file).steps), { code: "file_unreadable" });
  });
}

test("a name that is no hash never becomes a file", async () => {
  const { ops } = importing(new File([], "m.gguf"));
  const given = { signal: new AbortController().signal, blobs: {} };
  await assert.rejects(all(ops.commit({ sha256: NAME, as: "../x" }, given)), { code: "storage_failed" });
});
