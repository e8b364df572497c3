/**
 * Deletes what this origin keeps beside the database and the store: settings of the shell, cached files, the service
 * worker. The page is to be loaded anew after it.
 */
export async function forget() {
  for (const storage of [() => localStorage, () => sessionStorage]) {
    try {
      storage().clear();
    } catch {
      // Storage is switched off: there is nothing in it.
    }
  }
  if ("caches" in globalThis) await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  const workers = (await navigator.serviceWorker?.getRegistrations()) ?? [];
  await Promise.all(workers.map((worker) => worker.unregister()));
}
