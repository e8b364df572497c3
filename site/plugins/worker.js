/**
 * Python for one task of the user's own: a classic worker, because a sandboxed frame may start no other from a blob.
 *
 * Two walls are around it before it begins, and neither is here: the frame's policy (alone.html), which every worker it
 * could start inherits, and the frame's origin, which is nobody's and has no storage. What is taken away here only makes
 * the refusal an error that can be told.
 */
(() => {
  const NOWHERE = "https://nowhere.invalid/"; // Pyodide asks for its files by address; they are handed over instead
  const APP = "/lib/app.zip";
  const MICROPIP = "micropip.zip";
  const LOCK = {
    info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_5_0_3", python: "3.14.2" },
    packages: {},
  };
  const ASKS = ["fetch", "XMLHttpRequest", "WebSocket", "EventSource", "WebTransport"];
  const NEVER = ["importScripts", "Worker", "indexedDB", "caches", "BroadcastChannel"];
  const PAGE_BYTES = 65536; // of WebAssembly memory

  const scope = /** @type {Record<string, any>} */ (/** @type {unknown} */ (globalThis));

  /**
   * @typedef {{ port: MessagePort, files: Record<string, ArrayBuffer>, online: boolean, memory_bytes: number }} Start
   */

  /** @param {Start} start */
  async function run({ port, files, online, memory_bytes }) {
    limitMemory(memory_bytes);
    const { fetch } = scope;
    forbid(NEVER, () => {});
    scope.fetch = (/** @type {unknown} */ url) => Promise.resolve(handedOver(files, String(url)));
    const { loadPyodide } = await script(files["pyodide.mjs"]);
    const pyodide = await loadPyodide({
      createPyodideModule: (await script(files["pyodide.asm.mjs"])).default,
      indexURL: NOWHERE,
      packageBaseUrl: NOWHERE,
      stdLibURL: `${NOWHERE}stdlib.zip`,
      lockFileContents: LOCK,
      env: { HOME: "/home/pyodide", PYTHONPATH: APP, PYTHONSAFEPATH: "1", PYTHONDONTWRITEBYTECODE: "1" },
      fsInit: async (/** @type {any} */ FS) => {
        FS.writeFile(APP, new Uint8Array(files["app.zip"]));
        if (MICROPIP in files) FS.writeFile(`/lib/${MICROPIP}`, new Uint8Array(files[MICROPIP]));
      },
      stdout: () => {}, // a task may print what it was given, which is nobody's to log
      stderr: () => {},
    });
    const host = pyodide.pyimport("pyapp.browser.plugin_worker").start((/** @type {string} */ message) => port.postMessage({ message }));
    if (online) scope.fetch = fetch;
    else forbid(ASKS, () => host.refused_network());
    port.onmessage = ({ data }) => host.receive(data);
    port.postMessage({ started: true });
  }

  /** @param {ArrayBuffer} source of a module @returns {Promise<any>} */
  const script = (source) => import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));

  /** @param {Record<string, ArrayBuffer>} files @param {string} url */
  function handedOver(files, url) {
    const name = url.replace(NOWHERE, "");
    const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
    return new Response(files[name], { status: name in files ? 200 : 404, headers: { "Content-Type": type } });
  }

  /** @param {string[]} names of globals @param {() => void} onAsked */
  function forbid(names, onAsked) {
    for (const name of names) {
      const value = function () {
        onAsked();
        throw new Error(`NetworkRefused: ${name} is not there for a task without the network`);
      };
      Object.defineProperty(scope, name, { value, writable: true, configurable: true });
    }
  }

  /** Python's memory only grows, and by this one call; where it may not, Python has a MemoryError. @param {number} most */
  function limitMemory(most) {
    const memory = WebAssembly.Memory.prototype;
    const { grow } = memory;
    memory.grow = function (pages) {
      if (this.buffer.byteLength + pages * PAGE_BYTES > most) throw new RangeError("no more memory");
      return grow.call(this, pages);
    };
  }

  addEventListener("message", ({ data }) => {
    run(data).catch((error) => data.port.postMessage({ failed: String(error) }));
  }, { once: true });
})();
