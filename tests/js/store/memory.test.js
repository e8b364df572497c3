import assert from "node:assert/strict";
import { test } from "node:test";

import { MemoryDisk } from "../../../site/store/memory.js";
import { operations } from "../../../site/store/ops.js";
import { Failure } from "../../../site/worker.js";

const A = "a".repeat(64);
const B = "b".repeat(64);
const context = { signal: new AbortController().signal, blobs: {} };

function store() {
  const disk = new MemoryDisk();
  const ops = operations(Promise.resolve(disk), () => assert.fail("nothing is hashed"), new URL("http://site.example/"));
  /** @param {string} verb @param {unknown} [payload] @returns {Promise<any>} its last value */
  const run = async (verb, payload = {}) => {
    let value;
    for await (const step of ops[verb](payload, context)) value = step;
    return value;
  };
  return { disk, run };
}

test("from partial to blob to nothing", async () => {
  const { disk, run } = store();
  await run("allocate", { sha256: A, bytes: 3 });
  (await disk.open(A)).write(1, new Uint8Array([7]));
  await run("journal", { sha256: A, journal: { whole: [0] } });
  assert.deepEqual((await run("list")).partials, [{ sha256: A, bytes: 3, journal: { whole: [0] } }]);
  await run("commit", { sha256: A });
  await run("record", { key: "m.v", record: { format: 1 } });
  assert.deepEqual(await run("list"), { blobs: [{ sha256: A, bytes: 3 }], partials: [], records: [{ format: 1 }] });
  const { blobs } = await run("open", { files: { "x/y.onnx": A } });
  assert.deepEqual([...new Uint8Array(await blobs["x/y.onnx"].arrayBuffer())], [0, 7, 0]);
  await run("delete", { key: "m.v", blobs: [A, B] });
  assert.deepEqual(await run("list"), { blobs: [], partials: [], records: [] });
});

test("allocating again changes nothing, discarding forgets", async () => {
  const { disk, run } = store();
  await run("allocate", { sha256: A, bytes: 3 });
  (await disk.open(A)).write(0, new Uint8Array([1, 2, 3]));
  await run("allocate", { sha256: A, bytes: 2 });
  const into = new Uint8Array(9);
  assert.equal((await disk.open(A)).read(1, into), 2);
  assert.deepEqual([into[0], into[1]], [2, 3]);
  await run("discard", { sha256: A });
  assert.deepEqual((await run("list")).partials, []);
});

test("more than there is memory for is a full store", async () => {
  const { run } = store();
  await assert.rejects(run("allocate", { sha256: A, bytes: 2 ** 53 - 1 }), (error) => {
    assert.ok(error instanceof Failure);
    return error.code === "quota_exceeded" && error.details.bytes_needed === 2 ** 53 - 1;
  });
});

test("its lock is free: no other tab sees this store", async () => {
  const { disk } = store();
  const ops = operations(Promise.resolve(disk), () => assert.fail(), new URL("http://site.example/"));
  const controller = new AbortController();
  const lock = ops.lock({ wait: false }, { signal: controller.signal, blobs: {} });
  assert.deepEqual((await lock.next()).value, { held: true });
  const end = lock.next();
  controller.abort();
  assert.equal((await end).done, true);
});

test("what is no name is refused, what is not there is said", async () => {
  const { run } = store();
  for (const [verb, payload] of /** @type {[string, unknown][]} */ ([
    ["allocate", { sha256: "../x", bytes: 1 }],
    ["commit", { sha256: A }],
    ["record", { key: "A/b", record: {} }],
    ["delete", { key: "..", blobs: [] }],
    ["verify", { sha256: A }],
    ["open", { files: { x: A } }],
  ])) {
    await assert.rejects(run(verb, payload), (error) => error instanceof Failure && error.code === "storage_failed");
  }
});
