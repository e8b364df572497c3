/**
 * The interpreter PyScript starts: our Pyodide, with our archives, from our own address.
 *
 * The lock file is empty, so neither a package nor the lock itself is ever fetched. The standard library and the app
 * are zips of byte code (tools/build/archive.py) that Python imports from as they are; nothing is unpacked.
 */
import { loadPyodide as load, version } from "./vendor/pyodide/pyodide.mjs";

/** @param {string} path @returns {string} */
const address = (path) => new URL(path, import.meta.url).href;
const APP = "/lib/app.zip";
const LOCK = {
  info: { abi_version: "2026_0", arch: "wasm32", platform: "emscripten_5_0_3", python: "3.14.2" },
  packages: {},
};

/** Fetched while Pyodide itself is still on its way. */
const app = fetch(address("app.zip"));
app.catch(() => {}); // loadPyodide reports it

/** @returns {Promise<Uint8Array>} */
async function appArchive() {
  const answer = await app;
  if (!answer.ok) throw new Error(`app.zip: HTTP ${answer.status}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/**
 * Rejects when the wasm cannot be fetched or compiled: Pyodide only logs that, and then waits for ever.
 * @returns {Promise<never>}
 */
function wasmFailure() {
  const { instantiateStreaming } = WebAssembly;
  return new Promise((_, reject) => {
    WebAssembly.instantiateStreaming = (source, imports) => {
      WebAssembly.instantiateStreaming = instantiateStreaming;
      const instance = instantiateStreaming(source, imports);
      instance.catch(reject);
      return instance;
    };
  });
}

/**
 * @param {object} options PyScript's: stdout and stderr
 * @returns {Promise<unknown>} the Pyodide API
 */
export function loadPyodide(options) {
  const failure = wasmFailure();
  const pyodide = load({
    ...options,
    indexURL: address("vendor/pyodide/"),
    packageBaseUrl: address("vendor/pyodide/"),
    stdLibURL: address("stdlib.zip"),
    lockFileContents: LOCK,
    // The working directory is not searched: PyScript writes its package there as source, the app's archive has it compiled.
    env: { HOME: "/home/pyodide", PYTHONPATH: APP, PYTHONSAFEPATH: "1", PYTHONDONTWRITEBYTECODE: "1" },
    fsInit: async (/** @type {any} */ FS) => FS.writeFile(APP, await appArchive()),
  });
  return Promise.race([pyodide, failure]);
}

export { version };
