/**
 * A CacheStorage (https://w3c.github.io/ServiceWorker/#cachestorage) whose caches all hold the same files and take no
 * others: a library that caches what it fetches then reads what the store gave, twice is nothing kept, and nothing is
 * fetched.
 */

import { Failure } from "../worker.js";

/**
 * @param {string} base the URL the files lie below, ending in "/"
 * @param {Record<string, Blob>} blobs by path
 */
export function blobCaches(base, blobs) {
  /** @param {Request | string} request */
  const pathOf = (request) => new URL(typeof request === "string" ? request : request.url).href.replace(base, "");
  const cache = {
    /** @param {Request | string} request */
    async match(request) {
      const path = pathOf(request);
      return Object.hasOwn(blobs, path) ? new Response(blobs[path]) : undefined;
    },
    /** @param {Request | string} request @returns {Promise<void>} */
    async add(request) {
      throw new Failure("file_missing", `not among the model's files: ${pathOf(request)}`);
    },
    async keys() {
      return Object.keys(blobs).map((path) => new Request(base + path));
    },
    async delete() {
      return false;
    },
  };
  return { open: async () => cache };
}
