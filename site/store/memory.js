/**
 * The store where there is no OPFS: the same ops, kept until the tab closes.
 */
import { Failure } from "../worker.js";

/** @typedef {import("./disk").Disk} Disk */
/** @typedef {import("./disk").PartialFile} PartialFile */

/** @implements {PartialFile} */
class MemoryPartial {
  #bytes = new Uint8Array(0);

  size() {
    return this.#bytes.byteLength;
  }

  /** @param {number} bytes */
  grow(bytes) {
    if (bytes <= this.#bytes.byteLength) return;
    try {
      const grown = new Uint8Array(bytes);
      grown.set(this.#bytes);
      this.#bytes = grown;
    } catch {
      throw new Failure("quota_exceeded", "no memory for the file", { bytes_needed: bytes });
    }
  }

  /** @param {number} at @param {Uint8Array} into */
  read(at, into) {
    const found = this.#bytes.subarray(at, at + into.byteLength);
    into.set(found);
    return found.byteLength;
  }

  /** @param {number} at @param {Uint8Array} bytes */
  write(at, bytes) {
    this.grow(at + bytes.byteLength);
    this.#bytes.set(bytes, at);
  }

  flush() {}

  release() {}

  blob() {
    return new Blob([this.#bytes]);
  }
}

/** @implements {Disk} */
export class MemoryDisk {
  opfs = false;
  /** @type {Map<string, Blob>} */
  #blobs = new Map();
  /** @type {Map<string, MemoryPartial>} */
  #partials = new Map();
  /** @type {Map<string, string>} as text, so that nobody changes what was written */
  #journals = new Map();
  /** @type {Map<string, string>} */
  #records = new Map();

  async list() {
    return {
      blobs: [...this.#blobs].map(([sha256, blob]) => ({ sha256, bytes: blob.size })),
      partials: [...this.#partials].map(([sha256, file]) => ({
        sha256,
        bytes: file.size(),
        journal: JSON.parse(this.#journals.get(sha256) ?? "null"),
      })),
      records: [...this.#records.values()].map((text) => JSON.parse(text)),
    };
  }

  /** @param {string} sha256 */
  async open(sha256) {
    const file = this.#partials.get(sha256) ?? new MemoryPartial();
    this.#partials.set(sha256, file);
    return file;
  }

  /** @param {string} sha256 @param {unknown} journal */
  async journal(sha256, journal) {
    this.#journals.set(sha256, JSON.stringify(journal));
  }

  /** @param {string} sha256 @param {string} as */
  async commit(sha256, as) {
    const file = this.#partials.get(sha256);
    if (!file) throw new Failure("storage_failed", "there is nothing to commit");
    this.#blobs.set(as, file.blob());
    await this.discard(sha256);
  }

  /** @param {string} sha256 */
  async discard(sha256) {
    this.#partials.delete(sha256);
    this.#journals.delete(sha256);
  }

  /** @param {string} key @param {unknown} record */
  async record(key, record) {
    this.#records.set(key, JSON.stringify(record));
  }

  /** @param {string} key */
  async forget(key) {
    this.#records.delete(key);
  }

  /** @param {string} sha256 */
  async blob(sha256) {
    return this.#blobs.get(sha256) ?? null;
  }

  /** @param {string} sha256 */
  async remove(sha256) {
    this.#blobs.delete(sha256);
  }
}
