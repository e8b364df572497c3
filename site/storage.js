/**
 * The page's IndexedDB "candil": chats, messages, settings and runs as records, the ops "db.*" of protocol.d.ts.
 *
 * It knows no record's meaning beyond its key and `rev`. A connection may go bad without anybody's fault (Firefox wedges
 * it, "clear site data" deletes it under the page): then it is opened once more before anybody is told.
 */

/** @typedef {import("./protocol").DbOps} Ops */
/** @typedef {Record<string, any>} Row */

export const NAME = "candil";
export const VERSION = 3;
const STORES = ["chats", "messages", "settings", "runs", "run_parts"];

/** @type {Promise<IDBDatabase> | null} */
let connection = null;

/** @type {Record<string, (payload: any, signal: AbortSignal, emit: (value: unknown) => void) => Promise<void>>} */
export const DB_OPS = {
  "db.read": async (payload, signal, emit) => emit(await withDatabase((database) => read(database, payload, signal))),
  "db.write": async (payload, signal, emit) => emit(await withDatabase((database) => write(database, payload, signal))),
  "db.clear": async (_payload, signal) => withDatabase((database) => clear(database, signal)),
};

/**
 * @param {IDBDatabase} database
 * @param {Ops["db.read"]["in"]} payload
 * @param {AbortSignal} signal
 * @returns {Promise<Ops["db.read"]["out"]>}
 */
async function read(database, { store, keys, index, key }, signal) {
  const transaction = begin(database, [store], "readonly", signal);
  const rows = transaction.objectStore(store);
  if (keys) {
    const found = await Promise.all(keys.map((each) => settled(rows.get(each))));
    return { records: found.filter((row) => row !== undefined) };
  }
  return { records: await settled(index ? rows.index(index).getAll(key) : rows.getAll()) };
}

/**
 * @param {IDBDatabase} database
 * @param {Ops["db.write"]["in"]} payload
 * @param {AbortSignal} signal
 * @returns {Promise<Ops["db.write"]["out"]>}
 */
async function write(database, { puts, deletes, expect }, signal) {
  const transaction = begin(database, STORES, "readwrite", signal);
  const found = await Promise.all(
    expect.map(async ({ store, key, rev }) => {
      const record = (await settled(transaction.objectStore(store).get(key))) ?? null;
      return { store, key, record, fits: revision(record) === rev };
    }),
  );
  if (found.some(({ fits }) => !fits)) {
    return { written: false, found: found.filter(({ fits }) => !fits).map(({ store, key, record }) => ({ store, key, record })) };
  }
  try {
    for (const [store, records] of Object.entries(puts)) {
      for (const record of records) transaction.objectStore(store).put(record);
    }
    for (const [store, keys] of Object.entries(deletes)) {
      for (const key of keys) transaction.objectStore(store).delete(key);
    }
  } catch (error) {
    transaction.abort(); // else what came before it would be written
    throw error;
  }
  await completed(transaction);
  return { written: true };
}

/** @param {IDBDatabase} database @param {AbortSignal} signal */
async function clear(database, signal) {
  const transaction = begin(database, STORES, "readwrite", signal);
  for (const store of STORES) transaction.objectStore(store).clear();
  await completed(transaction);
}

/** @param {Row | null} record @returns {number} 0 for none, or for one that does not say */
function revision(record) {
  return Number.isInteger(record?.rev) ? record?.rev : 0;
}

/**
 * @param {IDBDatabase} database
 * @param {string[]} stores
 * @param {IDBTransactionMode} mode
 * @param {AbortSignal} signal aborts the transaction: nothing of it is written then
 */
function begin(database, stores, mode, signal) {
  const transaction = database.transaction(stores, mode);
  const abort = () => transaction.abort();
  signal.addEventListener("abort", abort);
  for (const end of ["complete", "abort"]) transaction.addEventListener(end, () => signal.removeEventListener("abort", abort));
  return transaction;
}

/**
 * @template T
 * @param {(database: IDBDatabase) => Promise<T>} work one transaction, so that it may be tried again
 * @returns {Promise<T>}
 */
async function withDatabase(work) {
  try {
    return await work(await opened());
  } catch (error) {
    if (isFull(error) || isAborted(error)) throw asWireError(error);
    forget();
  }
  try {
    return await work(await opened());
  } catch (error) {
    forget();
    throw asWireError(error);
  }
}

/** @returns {Promise<IDBDatabase>} */
function opened() {
  connection ??= openDatabase();
  return connection;
}

/** The next op opens it again. */
function forget() {
  connection?.then((database) => database.close()).catch(() => {});
  connection = null;
}

/** @returns {Promise<IDBDatabase>} */
function openDatabase() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(NAME, VERSION); // throws where storage is switched off
    opening.onupgradeneeded = () => upgrade(opening.result, /** @type {IDBTransaction} */ (opening.transaction));
    opening.onerror = () => reject(opening.error);
    // A tab with an older version is open: it may stay open for days, so this is no time to wait.
    let late = false;
    opening.onblocked = () => {
      late = true;
      reject(new Error("another tab has an older version open"));
    };
    opening.onsuccess = () => {
      const database = opening.result;
      if (late) return database.close();
      database.onversionchange = forget; // another tab upgrades or deletes it: do not stand in its way
      database.onclose = forget; // it was deleted under us
      resolve(database);
    };
  });
}

/**
 * From whatever version is there, or from nothing: a step for each.
 *
 * @param {IDBDatabase} database
 * @param {IDBTransaction} transaction
 */
function upgrade(database, transaction) {
  if (!database.objectStoreNames.contains("chats")) upgradeTo2(database, transaction);
  for (const store of ["runs", "run_parts"]) database.createObjectStore(store, { keyPath: "id" });
}

/**
 * Version 1 had one store "kept", with the whole conversation as a string: that becomes a setting, for Python to make
 * records of.
 *
 * @param {IDBDatabase} database
 * @param {IDBTransaction} transaction
 */
function upgradeTo2(database, transaction) {
  database.createObjectStore("chats", { keyPath: "id" });
  database.createObjectStore("messages", { keyPath: "id" }).createIndex("chat_id", "chat_id");
  const settings = database.createObjectStore("settings", { keyPath: "key" });
  if (!database.objectStoreNames.contains("kept")) return;
  const reading = transaction.objectStore("kept").get("conversation");
  reading.onsuccess = () => {
    if (reading.result !== undefined) settings.put({ v: 2, key: "version_1", value: reading.result });
    database.deleteObjectStore("kept");
  };
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {IDBTransaction} transaction @returns {Promise<void>} */
function completed(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new DOMException("the transaction was aborted", "AbortError"));
  });
}

/** @param {unknown} error a DOMException in some browsers, a class of its own in others */
function isFull(error) {
  return /** @type {any} */ (error)?.name === "QuotaExceededError";
}

/** @param {unknown} error */
function isAborted(error) {
  return /** @type {any} */ (error)?.name === "AbortError";
}

/** @param {unknown} error @returns {import("./protocol").WireError} */
function asWireError(error) {
  const { name = "", message = String(error) } = /** @type {any} */ (error) ?? {};
  return { code: isFull(error) ? "quota_exceeded" : "storage_failed", message: `${name}: ${message}` };
}
