/**
 * The store's ops over a disk; protocol.d.ts says what each takes and yields. No op retries, chooses or plans.
 */
import { Failure } from "../worker.js";
import { isUnreadable } from "./classify.js";
import { hashOf, RunningHashes } from "./hashing.js";
import { holdLock } from "./lock.js";
import { peek, read, transfer } from "./transfer.js";

/** @typedef {import("./disk").Disk} Disk */
/** @typedef {import("../protocol").Op} Op */

/** @param {string} sha256 it becomes a file name */
function checked(sha256) {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Failure("storage_failed", "not a sha256");
  return sha256;
}

/** @param {string} key it becomes a file name */
function checkedKey(key) {
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(key)) throw new Failure("storage_failed", "not a record's key");
  return key;
}

/**
 * @param {Promise<Disk>} opening
 * @param {() => import("./hashing").Hasher} createSha256
 * @param {URL} base what the catalog's relative addresses are relative to
 * @returns {Record<string, Op>} by verb
 */
export function operations(opening, createSha256, base) {
  const hashes = new RunningHashes(createSha256);
  return {
    async *status() {
      const estimate = /** @type {any} */ ((await navigator.storage?.estimate?.()) ?? {}); // usageDetails is Chromium's
      const { usage = 0, quota = 0, usageDetails } = estimate;
      const persisted = (await navigator.storage?.persisted?.()) ?? false;
      const indexed_db_bytes = usageDetails ? (usageDetails.indexedDB ?? 0) : null;
      yield { opfs: (await opening).opfs, persisted, usage_bytes: usage, quota_bytes: quota, indexed_db_bytes };
    },
    async *list() {
      yield await (await opening).list();
    },
    async *lock({ wait }, { signal }) {
      yield* holdLock((await opening).opfs, wait, signal);
    },
    async *allocate({ sha256, bytes }) {
      const file = await (await opening).open(checked(sha256));
      try {
        file.grow(bytes);
      } finally {
        file.release();
      }
    },
    async *fetch(request, { signal }) {
      const file = await (await opening).open(checked(request.sha256));
      try {
        yield* transfer(request, base, file, signal);
      } finally {
        file.release();
      }
    },
    async *read(request, { signal }) {
      yield { text: await read(request, base, signal) };
    },
    async *peek(request, { signal }) {
      yield await peek(request, base, signal);
    },
    async *import({ sha256 }, { signal, blobs }) {
      const file = await (await opening).open(checked(sha256));
      try {
        yield* hashOf(blobs.file, createSha256, signal, (at, bytes) => file.write(at, bytes));
        file.flush();
      } catch (error) {
        throw isUnreadable(error) ? new Failure("file_unreadable", String(error)) : error;
      } finally {
        file.release();
      }
    },
    async *journal({ sha256, journal }) {
      await (await opening).journal(checked(sha256), journal);
    },
    async *hash(request, { signal }) {
      const file = await (await opening).open(checked(request.sha256));
      try {
        yield* hashes.extend(request, file, signal);
      } finally {
        file.release();
      }
    },
    async *commit({ sha256, as = sha256 }) {
      await (await opening).commit(checked(sha256), checked(as));
      hashes.forget(sha256);
    },
    async *discard({ sha256 }) {
      hashes.forget(sha256);
      await (await opening).discard(checked(sha256));
    },
    async *verify({ sha256 }, { signal }) {
      yield* hashOf(await found(await opening, sha256), createSha256, signal);
    },
    async *record({ key, record }) {
      await (await opening).record(checkedKey(key), record);
    },
    async *delete({ key, blobs }) {
      const disk = await opening;
      if (key !== null) await disk.forget(checkedKey(key));
      for (const sha256 of blobs) await disk.remove(checked(sha256));
    },
    async *open({ files }) {
      const disk = await opening;
      const named = Object.entries(files).map(async ([name, sha256]) => [name, await found(disk, sha256)]);
      yield { blobs: Object.fromEntries(await Promise.all(named)) };
    },
  };
}

/** @param {Disk} disk @param {string} sha256 */
async function found(disk, sha256) {
  const blob = await disk.blob(checked(sha256));
  if (!blob) throw new Failure("storage_failed", "the file is not in the store", { sha256 });
  return blob;
}
