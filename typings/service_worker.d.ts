// What site/sw.js uses of a service worker's global scope; TypeScript's own library for it excludes the page's.

interface PrecacheFile { sha256: string; bytes: number }

interface ExtendableEvent extends Event { waitUntil(done: Promise<unknown>): void }
interface ExtendableMessageEvent extends ExtendableEvent { data: any; ports: readonly MessagePort[] }
interface FetchEvent extends ExtendableEvent { request: Request; respondWith(answer: Promise<Response>): void }

interface ServiceWorkerScope {
  registration: ServiceWorkerRegistration;
  clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  /** From precache.js, made by the build. */
  PRECACHE: { version: string; headers: Record<string, string>; groups: Record<string, Record<string, PrecacheFile>> };
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "message", listener: (event: ExtendableMessageEvent) => void): void;
}

declare function importScripts(...urls: string[]): void;
