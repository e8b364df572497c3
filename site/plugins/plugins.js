/**
 * The page's end of the workers that tasks of the user's own live in: ops "plugins.*" of protocol.d.ts.
 *
 * Such a worker belongs to a sandboxed frame: it has an origin of its own, and with that none of this site's storage, and
 * the frame's policy, which lets it fetch nothing. So all it is made of is handed over here.
 */

/** @typedef {import("../protocol").PluginOps} Ops */
/** @typedef {(payload: any, signal: AbortSignal, emit: (value: unknown) => void) => Promise<void>} PageOp */

const FILES = {
  "pyodide.mjs": "../vendor/pyodide/pyodide.mjs",
  "pyodide.asm.mjs": "../vendor/pyodide/pyodide.asm.mjs",
  "pyodide.asm.wasm": "../vendor/pyodide/pyodide.asm.wasm",
  "stdlib.zip": "../stdlib.zip",
  "app.zip": "../app.zip",
};
const FOR_WHEELS = { "micropip.zip": "../micropip.zip" };

/** @type {Map<number, MessagePort>} */
const ports = new Map();

/** @type {Record<string, PageOp>} */
export const OPS = {
  async "plugins.start"(/** @type {Ops["plugins.start"]["in"]} */ { worker, online, wheel, memory_bytes }, signal, emit) {
    const [source, files] = await Promise.all([read("./worker.js", signal), readAll(wheel ? { ...FILES, ...FOR_WHEELS } : FILES, signal)]);
    const frame = document.createElement("iframe");
    frame.sandbox.add("allow-scripts");
    frame.hidden = true;
    frame.src = new URL(online ? "online.html" : "alone.html", import.meta.url).href;
    try {
      await loaded(frame, signal);
      const { port1, port2 } = new MessageChannel();
      ports.set(worker, port1);
      frame.contentWindow?.postMessage({ source, port: port2, files, online, memory_bytes }, "*", [port2, ...Object.values(files)]);
      await heard(port1, signal, emit);
    } finally {
      ports.delete(worker);
      frame.remove(); // and with it the worker, whatever it is doing
    }
  },
  async "plugins.post"(/** @type {Ops["plugins.post"]["in"]} */ { worker, message }) {
    ports.get(worker)?.postMessage(message);
  },
};

/** @param {string} path @param {AbortSignal} signal @returns {Promise<ArrayBuffer>} */
async function read(path, signal) {
  const answer = await fetch(new URL(path, import.meta.url), { signal }).catch((cause) => {
    throw { code: "network_failed", message: String(cause) };
  });
  if (!answer.ok) throw { code: "network_failed", message: `${path}: HTTP ${answer.status}` };
  return answer.arrayBuffer();
}

/** @param {Record<string, string>} paths @param {AbortSignal} signal @returns {Promise<Record<string, ArrayBuffer>>} */
async function readAll(paths, signal) {
  const entries = Object.entries(paths).map(async ([name, path]) => /** @type {const} */ ([name, await read(path, signal)]));
  return Object.fromEntries(await Promise.all(entries));
}

/** @param {HTMLIFrameElement} frame @param {AbortSignal} signal @returns {Promise<unknown>} */
function loaded(frame, signal) {
  return new Promise((resolve) => {
    frame.addEventListener("load", resolve, { once: true });
    signal.addEventListener("abort", resolve);
    document.body.append(frame);
  });
}

/** Until it is aborted. @param {MessagePort} port @param {AbortSignal} signal @param {(value: unknown) => void} emit */
function heard(port, signal, emit) {
  return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    signal.addEventListener("abort", () => resolve());
    if (signal.aborted) resolve();
    port.onmessage = ({ data }) => {
      if (data?.started === true) emit({ started: true });
      else if (typeof data?.message === "string") emit({ message: data.message });
      else reject({ code: "plugin_failed", message: "", details: { error: String(data?.failed), at: "" } });
    };
  });
}
