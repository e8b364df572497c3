/**
 * From the shell to Python: starts PyScript, and says so on the page when it cannot be started.
 *
 * The page is readable and the message box takes typing before and without any of this. Python has arrived when it
 * sets <html data-candil> to something else than "shell".
 */

const TIMEOUT_MS = 90_000; // 6 MB at 0.5 Mbit/s; a later arrival still counts
const DRAFT = "candil.boot.draft";
const DATABASE = "candil"; // storage.js

// What PyScript and Pyodide ask for one after the other, asked for at once. PyScript's own parts, whose names change
// with it, are named by the build.
const NEEDED = [
  "vendor/pyscript/core.js",
  "bridge.js",
  "offline.js",
  "runtime.mjs",
  "vendor/pyodide/pyodide.mjs",
  "vendor/pyodide/pyodide.asm.mjs",
  "stdlib.zip",
  "app.zip",
];
const WASM = "vendor/pyodide/pyodide.asm.wasm"; // preloaded on a later visit, it would lose its compiled code

const page = document.documentElement;
const message = /** @type {HTMLTextAreaElement | null} */ (document.querySelector("#message"));

/** @param {boolean} failed */
function show(failed) {
  const box = document.querySelector("#boot-error");
  if (box instanceof HTMLElement) box.hidden = !failed;
}

/** @param {unknown} reason */
function fail(reason) {
  if (page.dataset.candil !== "shell") return;
  console.error("Candil could not start:", reason);
  show(true);
}

/** Starts over with a fresh page; what was typed is waiting in it. */
async function retry() {
  if (message?.value) sessionStorage.setItem(DRAFT, message.value);
  try {
    await fetch(location.href, { cache: "no-store" }); // a reload without a connection would lose this page
    location.reload();
  } catch (error) {
    fail(error);
  }
}

function restoreDraft() {
  const draft = sessionStorage.getItem(DRAFT);
  sessionStorage.removeItem(DRAFT);
  if (draft && message && !message.value) message.value = draft;
}

/** Resolves when Python has taken over the page. @returns {Promise<void>} */
function arrival() {
  return new Promise((resolve) => {
    new MutationObserver((_, observer) => {
      if (page.dataset.candil === "shell") return;
      observer.disconnect();
      resolve();
    }).observe(page, { attributeFilter: ["data-candil"] });
  });
}

/** Resolves when the shell has been painted; in a hidden tab, where nothing is, soon. @returns {Promise<unknown>} */
function painted() {
  const frame = new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  return Promise.race([frame, new Promise((resolve) => setTimeout(resolve, 200))]);
}

function preload() {
  const script = /** @type {HTMLElement | null} */ (document.querySelector("script[data-preload]"));
  const parts = script?.dataset.preload?.split(" ") ?? [];
  const first = !navigator.serviceWorker?.controller;
  for (const href of [...NEEDED, ...parts, ...(first ? [WASM] : [])]) {
    const module = /\.m?js$/.test(href);
    const link = Object.assign(document.createElement("link"), { rel: module ? "modulepreload" : "preload", href });
    if (!module) Object.assign(link, { as: "fetch", crossOrigin: "anonymous" });
    document.head.append(link);
  }
}

/**
 * PyScript opens two databases at every start. Nothing of ours is in them, and where a browser refuses databases it
 * would not start: it gets empty ones that keep nothing. Only ours (storage.js) is the browser's.
 */
function emptyDatabases() {
  const databases = globalThis.indexedDB ?? {}; // some private windows have none
  const open = databases.open?.bind(databases);
  /** @param {unknown} result */
  const answer = (result) => {
    const request = { result, onsuccess: /** @type {((event: object) => void) | null} */ (null) };
    queueMicrotask(() => request.onsuccess?.({ target: request }));
    return request;
  };
  const store = { getAllKeys: () => answer([]), clear: answer, delete: answer, put: answer };
  const empty = { close() {}, transaction: () => ({ objectStore: () => store }) };
  databases.open = (name, version) => /** @type {IDBOpenDBRequest} */ (name === DATABASE ? open(name, version) : answer(empty));
  Object.defineProperty(globalThis, "indexedDB", { value: databases });
}

async function start() {
  await painted();
  preload();
  emptyDatabases();
  const { hooks } = await import("./vendor/pyscript/core.js");
  // The one hook PyScript builds with Function(), for workers we do not have: without it no 'unsafe-eval' is needed.
  hooks.worker.onBeforeRunAsync.clear();
}

/** @param {ErrorEvent | PromiseRejectionEvent} event */
const onError = (event) => fail("reason" in event ? event.reason : event.message);

performance.mark("candil:shell");
restoreDraft();
document.querySelector("#boot-retry")?.addEventListener("click", retry);
addEventListener("unhandledrejection", onError);
addEventListener("error", onError);
document.addEventListener("py:done", () => fail("Python ended early")); // PyScript has logged why
const timer = setTimeout(fail, TIMEOUT_MS, "timeout");
void arrival().then(() => {
  performance.mark("candil:python");
  clearTimeout(timer);
  removeEventListener("unhandledrejection", onError);
  removeEventListener("error", onError);
  show(false);
});
start().catch(fail);
