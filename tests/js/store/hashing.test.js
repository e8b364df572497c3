import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";

import { sha256 } from "@noble/hashes/sha2.js";

import { hashOf, RunningHashes } from "../../../site/store/hashing.js";
import { MemoryDisk } from "../../../site/store/memory.js";

const CONTENT = randomBytes(3 * (1 << 20) + 77);
const NAME = createHash("sha256").update(CONTENT).digest("hex");
const never = new AbortController().signal;
const create = () => sha256.create();

async function partial() {
  const file = await new MemoryDisk().open(NAME);
  file.grow(CONTENT.byteLength);
  file.write(0, CONTENT);
  return file;
}

/** @template T @param {AsyncIterable<T>} steps @returns {Promise<T | undefined>} */
async function last(steps) {
  let value;
  for await (const step of steps) value = step;
  return value;
}

test("a hash grows with its file and ends right", async () => {
  const hashes = new RunningHashes(create);
  const file = await partial();
  const total = CONTENT.byteLength;
  for (const upto of [5, 5, 1 << 20, (1 << 20) + 1]) {
    assert.deepEqual(await last(hashes.extend({ sha256: NAME, upto, total }, file, never)), { hashed: upto });
  }
  const whole = { sha256: NAME, upto: total, total };
  assert.deepEqual(await last(hashes.extend(whole, file, never)), { hashed: total, sha256: NAME });
  assert.deepEqual(await last(hashes.extend(whole, file, never)), { hashed: total, sha256: NAME }, "asked again");
});

test("a file that began again is hashed from its start", async () => {
  const hashes = new RunningHashes(create);
  const file = await partial();
  const total = CONTENT.byteLength;
  file.write(0, new Uint8Array([1, 2, 3]));
  await last(hashes.extend({ sha256: NAME, upto: 1000, total }, file, never));
  file.write(0, CONTENT.subarray(0, 3));
  hashes.forget(NAME);
  assert.equal((await last(hashes.extend({ sha256: NAME, upto: total, total }, file, never)))?.sha256, NAME);
});

test("an abort stops it and the next call goes on", async () => {
  const hashes = new RunningHashes(create);
  const file = await partial();
  const total = CONTENT.byteLength;
  const controller = new AbortController();
  const running = last(hashes.extend({ sha256: NAME, upto: total, total }, file, controller.signal));
  controller.abort();
  assert.equal(await running, undefined);
  assert.equal((await last(hashes.extend({ sha256: NAME, upto: total, total }, file, never)))?.sha256, NAME);
});

test("a file that is too short is an error, not an endless loop", async () => {
  const file = await new MemoryDisk().open(NAME);
  await assert.rejects(last(new RunningHashes(create).extend({ sha256: NAME, upto: 1, total: 1 }, file, never)));
});

test("a committed file is read from its start to its end", async () => {
  assert.equal((await last(hashOf(new Blob([CONTENT]), create, never)))?.sha256, NAME);
  const empty = await last(hashOf(new Blob([]), create, never));
  assert.equal(empty?.sha256, createHash("sha256").digest("hex"));
});
