/**
 * The store on the origin's private file system:
 *
 *     models/blobs/<sha256>              whole and checked
 *     models/partial/<sha256>            being fetched, written at several offsets at once
 *     models/partial/<sha256>.journal    which parts of it are whole
 *     models/records/<key>.json          what is installed
 *
 * Partials are written through SyncAccessHandles: what they wrote survives a crash of the tab, and one
 * at a time may hold a file, in any tab, so they are open only while somebody uses them.
 */
import { Failure } from "../worker.js";
import { isFull } from "./classify.js";
import { filesIn, isMissing, move, openExclusively, readJson, remove, writeJson } from "./files.js";

/** @typedef {import("./disk").Disk} Disk */
/** @typedef {import("./disk").PartialFile} PartialFile */
/** @typedef {import("./disk").Listing} Listing */
/** @typedef {{ users: number, file?: Promise<OpfsPartial> }} Opened */

const JOURNAL = ".journal";

/** @returns {Promise<OpfsDisk>} rejects where the browser has no OPFS to offer, as in some private windows */
export async function openOpfs() {
  const root = await navigator.storage.getDirectory();
  const models = await root.getDirectoryHandle("models", { create: true });
  const [blobs, partials, records] = await Promise.all(
    ["blobs", "partial", "records"].map((name) => models.getDirectoryHandle(name, { create: true })),
  );
  await tryWriting(models);
  return new OpfsDisk(blobs, partials, records);
}

/** Having a directory does not mean that one may write. @param {FileSystemDirectoryHandle} directory */
async function tryWriting(directory) {
  const name = `probe-${crypto.randomUUID()}`; // its own: another tab may be probing
  const file = await directory.getFileHandle(name, { create: true });
  try {
    (await file.createSyncAccessHandle()).close();
  } finally {
    await directory.removeEntry(name);
  }
}

/** @implements {PartialFile} */
class OpfsPartial {
  /** @param {FileSystemSyncAccessHandle} handle @param {() => void} onRelease */
  constructor(handle, onRelease) {
    this.handle = handle;
    this.release = onRelease;
  }

  size() {
    return this.handle.getSize();
  }

  /** @param {number} at @param {Uint8Array<ArrayBuffer>} into */
  read(at, into) {
    return this.handle.read(into, { at });
  }

  /** @param {number} bytes */
  grow(bytes) {
    const had = this.handle.getSize();
    if (had >= bytes) return;
    try {
      this.handle.truncate(bytes); // counts against the quota, though nothing is written
    } catch (error) {
      if (!isFull(error)) throw error;
    }
    // A private window's truncate() succeeds and changes nothing.
    if (this.handle.getSize() < bytes) throw new Failure("quota_exceeded", "no room for the file", { bytes_needed: bytes - had });
  }

  /** @param {number} at @param {Uint8Array<ArrayBuffer>} bytes */
  write(at, bytes) {
    // At the quota a write may throw, or write what fits and say so only in its count.
    const written = this.handle.write(bytes, { at });
    if (written !== bytes.byteLength) throw new Failure("quota_exceeded", `${written} of ${bytes.byteLength} bytes written`);
  }

  flush() {
    this.handle.flush();
  }
}

/** @implements {Disk} */
export class OpfsDisk {
  opfs = true;
  /** @type {Map<string, Opened>} */
  #open = new Map();

  /** @param {FileSystemDirectoryHandle} blobs @param {FileSystemDirectoryHandle} partials @param {FileSystemDirectoryHandle} records */
  constructor(blobs, partials, records) {
    this.blobs = blobs;
    this.partials = partials;
    this.records = records;
  }

  /** @returns {Promise<Listing>} */
  async list() {
    const [blobs, files, records] = await Promise.all([this.blobs, this.partials, this.records].map(filesIn));
    const whole = files.filter(([name]) => !name.endsWith(JOURNAL));
    const partials = await Promise.all(
      whole.map(async ([sha256, file]) => ({
        sha256,
        bytes: file.size,
        journal: await readJson(files.find(([name]) => name === sha256 + JOURNAL)?.[1]),
      })),
    );
    const read = await Promise.all(records.map(([, file]) => readJson(file)));
    return {
      blobs: blobs.map(([sha256, file]) => ({ sha256, bytes: file.size })),
      partials,
      records: read.filter((record) => record !== null),
    };
  }

  /** @param {string} sha256 */
  async open(sha256) {
    const opened = this.#open.get(sha256) ?? { users: 0 };
    this.#open.set(sha256, opened);
    opened.users++;
    try {
      return await (opened.file ??= this.#openHandle(sha256, opened));
    } catch (error) {
      this.#open.delete(sha256);
      throw error;
    }
  }

  /** @param {string} sha256 @param {Opened} opened */
  async #openHandle(sha256, opened) {
    const file = await this.partials.getFileHandle(sha256, { create: true });
    const handle = await openExclusively(file);
    // A journal left behind by a crash between rename and clean-up would vouch for bytes that are not there.
    if (handle.getSize() === 0) await remove(this.partials, sha256 + JOURNAL);
    return new OpfsPartial(handle, () => {
      if (--opened.users > 0 || this.#open.get(sha256) !== opened) return;
      this.#open.delete(sha256);
      handle.close();
    });
  }

  /** @param {string} sha256 */
  async #close(sha256) {
    const opened = this.#open.get(sha256);
    this.#open.delete(sha256);
    (await opened?.file)?.handle.close();
  }

  /** @param {string} sha256 @param {unknown} journal */
  journal(sha256, journal) {
    return writeJson(this.partials, sha256 + JOURNAL, journal);
  }

  /** @param {string} sha256 @param {string} as */
  async commit(sha256, as) {
    await this.#close(sha256);
    await move(await this.partials.getFileHandle(sha256), this.partials, this.blobs, as);
    await remove(this.partials, sha256 + JOURNAL);
  }

  /** @param {string} sha256 */
  async discard(sha256) {
    await this.#close(sha256);
    await remove(this.partials, sha256 + JOURNAL);
    await remove(this.partials, sha256);
  }

  /** @param {string} key @param {unknown} record */
  record(key, record) {
    return writeJson(this.records, `${key}.json`, record);
  }

  /** @param {string} key */
  forget(key) {
    return remove(this.records, `${key}.json`);
  }

  /** @param {string} sha256 @returns {Promise<File | null>} */
  async blob(sha256) {
    try {
      return await (await this.blobs.getFileHandle(sha256)).getFile();
    } catch (error) {
      if (isMissing(error)) return null;
      throw error;
    }
  }

  /** @param {string} sha256 */
  remove(sha256) {
    return remove(this.blobs, sha256);
  }
}
