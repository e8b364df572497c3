/**
 * The shell without a network: files by their sha256, from the list the build made (precache.js).
 *
 * The group "shell" is fetched and checked when a version is installed; only what changed is fetched. An engine's
 * group ("transformers_js:wasm") is kept from its first use on, and from then on belongs to every later version.
 * A version is installed whole or not at all, and waits until somebody asks for it. Responses are kept as they came,
 * headers included; those that the host leaves out are added, so a page from here is isolated and restricted everywhere.
 * Neither weights (they have their own store) nor /api nor anything that is not in the list is kept.
 */
importScripts("./precache.js");

(() => {
  const worker = /** @type {ServiceWorkerScope} */ (/** @type {unknown} */ (self));
  const { groups, headers } = worker.PRECACHE;
  const AT_A_TIME = 6;

  /** @param {string} path */
  const address = (path) => new URL(path, worker.registration.scope).href;
  /** @param {string} sha256 */
  const fileKey = (sha256) => address(`__candil/file/${sha256}`);
  /** @param {string} group */
  const groupKey = (group) => address(`__candil/group/${encodeURIComponent(group)}`);
  const openFiles = () => caches.open(`candil-files ${worker.registration.scope}`);
  const openData = () => caches.open(`candil-data ${worker.registration.scope}`);

  const catalog = address("model_manifest.json");
  /** @type {Map<string, PrecacheFile>} by URL */
  const listed = new Map();
  for (const files of Object.values(groups)) {
    for (const [path, file] of Object.entries(files)) listed.set(address(path), file);
  }
  const home = listed.get(address("index.html"));
  if (home) listed.set(address(""), home);

  /** @type {Map<string, Promise<void>>} downloads under way, by sha256 */
  const underWay = new Map();

  /** @param {ArrayBuffer} bytes */
  async function hash(bytes) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /**
   * Keeps `response` if it is exactly `file`.
   * @param {Cache} cache @param {PrecacheFile} file @param {Response} response
   * @param {(bytes: number) => void} [onBytes]
   */
  async function store(cache, file, response, onBytes = () => {}) {
    if (!response.ok || response.redirected) throw { code: "network_failed", message: `HTTP ${response.status}: ${response.url}` };
    const copy = response.clone();
    const bytes = new Uint8Array(file.bytes);
    let received = 0;
    for await (const chunk of copy.body ?? []) {
      if (received + chunk.length <= bytes.length) bytes.set(chunk, received);
      received += chunk.length;
      onBytes(chunk.length);
    }
    if (received !== file.bytes || (await hash(bytes.buffer)) !== file.sha256) {
      throw { code: "hash_mismatch", message: response.url };
    }
    await cache.put(fileKey(file.sha256), response);
    await markWhole(cache);
  }

  /** Notes the engine groups that are whole: they stay part of later versions. @param {Cache} cache */
  async function markWhole(cache) {
    const kept = await keys(cache);
    for (const [group, files] of Object.entries(groups)) {
      const whole = Object.values(files).every(({ sha256 }) => kept.has(fileKey(sha256)));
      if (group !== "shell" && whole && !kept.has(groupKey(group))) await cache.put(groupKey(group), new Response());
    }
  }

  /** @param {Cache} cache */
  const keys = async (cache) => new Set((await cache.keys()).map(({ url }) => url));

  /**
   * @param {Cache} cache @param {string} path @param {PrecacheFile} file
   * @param {{ signal?: AbortSignal, onBytes?: (bytes: number) => void }} [options]
   */
  async function download(cache, path, file, { signal, onBytes } = {}) {
    const running = underWay.get(file.sha256);
    if (running) return running;
    const done = fetch(address(path), { cache: "no-cache", signal }).then((response) => store(cache, file, response, onBytes));
    underWay.set(file.sha256, done);
    try {
      await done;
    } finally {
      underWay.delete(file.sha256);
    }
  }

  /**
   * Fetches what is missing of `names`, six files at a time.
   * @param {string[]} names groups
   * @param {{ signal?: AbortSignal, onBytes?: (bytes: number) => void }} [options]
   */
  async function keep(names, options = {}) {
    const cache = await openFiles();
    const kept = await keys(cache);
    const files = names.flatMap((group) => Object.entries(groups[group] ?? {}));
    const missing = new Map(files.filter(([, { sha256 }]) => !kept.has(fileKey(sha256))).map((entry) => [entry[1].sha256, entry]));
    const queue = [...missing.values()];
    const lane = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) await download(cache, ...next, options);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, lane));
    await markWhole(cache);
  }

  async function install() {
    const kept = await keys(await openFiles());
    await keep(["shell", ...Object.keys(groups).filter((group) => kept.has(groupKey(group)))]);
    await refreshCatalog(new Request(catalog)).catch(() => {}); // the page asks again
  }

  async function activate() {
    const cache = await openFiles();
    const wanted = new Set([...listed.values()].map(({ sha256 }) => fileKey(sha256)));
    for (const group of Object.keys(groups)) wanted.add(groupKey(group));
    for (const key of await keys(cache)) if (!wanted.has(key)) await cache.delete(key);
    await worker.clients.claim();
  }

  /** The kept file, else the server's, which is then kept. @param {FetchEvent} event @param {PrecacheFile} file */
  async function answer(event, file) {
    const cache = await openFiles();
    await underWay.get(file.sha256)?.catch(() => {});
    const kept = await cache.match(fileKey(file.sha256), { ignoreVary: true });
    if (kept) return guarded(kept);
    const response = await fetch(event.request);
    const storing = store(cache, file, response.clone());
    event.waitUntil(storing.catch((error) => console.warn("Not kept:", error.message ?? error)));
    return guarded(response);
  }

  /** With the headers of ours that its host did not send. @param {Response} response */
  function guarded(response) {
    const absent = Object.entries(headers).filter(([name]) => !response.headers.has(name));
    if (absent.length === 0) return response;
    const all = new Headers(response.headers);
    for (const [name, value] of absent) all.set(name, value);
    return new Response(response.body, { status: response.status, statusText: response.statusText, headers: all });
  }

  /** The newest catalog, else the last one seen. @param {Request} request */
  async function refreshCatalog(request) {
    const cache = await openData();
    try {
      const response = await fetch(request);
      if (response.ok) await cache.put(catalog, response.clone());
      return response;
    } catch (error) {
      const kept = await cache.match(catalog, { ignoreVary: true });
      if (kept) return kept;
      throw error;
    }
  }

  /** Keeps a group for the page at the other end of `port`, saying how far it is. @param {string} group @param {MessagePort} port */
  async function keepFor(group, port) {
    const controller = new AbortController();
    port.onmessage = () => controller.abort();
    const kept = await keys(await openFiles());
    const files = Object.values(groups[group] ?? {});
    const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
    let received = files.reduce((sum, { sha256, bytes }) => sum + (kept.has(fileKey(sha256)) ? bytes : 0), 0);
    const report = () => port.postMessage({ received, total });
    report();
    try {
      if (!files.length) throw { code: "offline_unavailable", message: `no group ${group}` };
      await keep([group], { signal: controller.signal, onBytes: (bytes) => { received += bytes; report(); } });
      port.postMessage({ done: true });
    } catch (error) {
      port.postMessage({ error: problem(error) });
    }
  }

  /** @param {any} error */
  function problem(error) {
    if (error.code && error.message && !(error instanceof Error)) return error;
    const code = error instanceof TypeError ? "network_failed" : "offline_unavailable"; // fetch | the cache is full or off
    return { code, message: String(error) };
  }

  /** The listed file a request is for. @param {Request} request */
  function requested(request) {
    if (request.method !== "GET" || request.headers.has("range")) return undefined;
    const url = new URL(request.url);
    if (request.mode === "navigate") url.search = "";
    url.hash = "";
    return listed.get(url.href);
  }

  worker.addEventListener("install", (event) => event.waitUntil(install()));
  worker.addEventListener("activate", (event) => event.waitUntil(activate()));
  worker.addEventListener("message", (event) => {
    if (event.data === "SKIP_WAITING") event.waitUntil(worker.skipWaiting());
    if (event.data?.keep) event.waitUntil(keepFor(event.data.keep, event.ports[0]));
  });
  worker.addEventListener("fetch", (event) => {
    const file = requested(event.request);
    if (file) event.respondWith(answer(event, file));
    else if (event.request.url === catalog && event.request.method === "GET") event.respondWith(refreshCatalog(event.request));
  });
})();
