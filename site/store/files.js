/**
 * Files of an OPFS directory, in whatever way this browser has: written and renamed in one step if it can.
 */
import { Failure } from "../worker.js";

/** @param {FileSystemDirectoryHandle} directory @returns {Promise<[string, File][]>} */
export async function filesIn(directory) {
  /** @type {[string, File][]} */
  const files = [];
  for await (const [name, handle] of directory.entries()) {
    if (handle.kind === "file" && !name.endsWith(".crswap")) files.push([name, await handle.getFile()]);
  }
  return files;
}

/** @param {File | undefined} file @returns {Promise<unknown>} null when missing or torn */
export async function readJson(file) {
  try {
    return file ? JSON.parse(await file.text()) : null;
  } catch {
    return null;
  }
}

/**
 * In one step where createWritable is (it writes aside and renames on close). Safari before 26 has only the sync
 * handle: a crash may leave half a file, which reads as null and costs a fetch, not a wrong byte.
 * @param {FileSystemDirectoryHandle} directory @param {string} name @param {unknown} value
 */
export async function writeJson(directory, name, value) {
  const text = JSON.stringify(value);
  const file = await directory.getFileHandle(name, { create: true });
  if (Object.hasOwn(FileSystemFileHandle.prototype, "createWritable")) {
    const writable = await file.createWritable();
    await writable.write(text);
    await writable.close();
    return;
  }
  const handle = await openExclusively(file);
  try {
    const bytes = new TextEncoder().encode(text);
    handle.truncate(0);
    if (handle.write(bytes, { at: 0 }) !== bytes.byteLength) throw new Failure("quota_exceeded", `${name} was not written`);
    handle.flush();
  } finally {
    handle.close();
  }
}

const LET_GO_MS = 3000;

/**
 * The file for reading and writing. A tab that is gone has it open until its process has ended: that is waited for.
 * @param {FileSystemFileHandle} file
 * @returns {Promise<FileSystemSyncAccessHandle>}
 */
export async function openExclusively(file) {
  for (const until = performance.now() + LET_GO_MS; ; ) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      const held = error instanceof DOMException && error.name === "NoModificationAllowedError";
      if (!held || performance.now() > until) throw error;
      await new Promise((later) => setTimeout(later, 50));
    }
  }
}

/**
 * By rename where the browser can; else by copy, the original kept until the copy is whole.
 * @param {FileSystemFileHandle} file @param {FileSystemDirectoryHandle} from @param {FileSystemDirectoryHandle} to
 * @param {string} name what it is called there
 * @returns {Promise<void>}
 */
export async function move(file, from, to, name) {
  const { move } = /** @type {any} */ (file); // not yet in TypeScript's library
  if (move) return move.call(file, to, name);
  const target = await to.getFileHandle(name, { create: true });
  const handle = await openExclusively(target);
  try {
    handle.truncate(0);
    await copy(await file.getFile(), handle);
  } finally {
    handle.close();
  }
  await from.removeEntry(file.name);
}

/** @param {File} source @param {FileSystemSyncAccessHandle} handle */
async function copy(source, handle) {
  let at = 0;
  for (const step = 4 << 20; at < source.size; ) {
    const bytes = new Uint8Array(await source.slice(at, at + step).arrayBuffer());
    if (handle.write(bytes, { at }) !== bytes.byteLength) {
      throw new Failure("quota_exceeded", "no room for the copy", { bytes_needed: source.size - at });
    }
    at += bytes.byteLength;
  }
  handle.flush();
}

/** @param {FileSystemDirectoryHandle} directory @param {string} name */
export async function remove(directory, name) {
  try {
    await directory.removeEntry(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

/** @param {unknown} error */
export function isMissing(error) {
  return error instanceof DOMException && error.name === "NotFoundError";
}
