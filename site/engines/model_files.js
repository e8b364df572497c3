/**
 * Makes transformers.js read a model's files from Blobs, and from nowhere else.
 *
 * Every file goes through the library's "custom cache". What is not there it asks its `fetch` for, which answers 404 by
 * itself (the library then does without optional files) and refuses any other address: no request ever leaves.
 */

import { Failure } from "../worker.js";

/** The name the library knows the model by; any name it takes for a repository would do. */
export const MODEL = "model";
const PREFIX = `blob-store:/${MODEL}/`;

/**
 * @param {typeof import("@huggingface/transformers").env} env changed in place
 * @param {Record<string, Blob>} blobs by the name of the file in its repository
 */
export function readFrom(env, blobs) {
  Object.assign(env, {
    allowLocalModels: false,
    allowRemoteModels: true, // "remote" is what it calls the address below
    remoteHost: PREFIX.slice(0, PREFIX.indexOf("/")),
    remotePathTemplate: "{model}/",
    useBrowserCache: false,
    useWasmCache: false, // it would load ONNX Runtime's script from a blob: URL, which the page's CSP forbids
    useCustomCache: true,
    customCache: {
      /** @param {string} address */
      match: async (address) => {
        const blob = address.startsWith(PREFIX) ? blobs[address.slice(PREFIX.length)] : undefined;
        return blob && new Response(blob, { headers: { "content-length": String(blob.size) } });
      },
      put: async () => {},
    },
    /** @param {string | URL} address */
    fetch: async (address) => {
      if (String(address).startsWith(PREFIX)) return new Response(null, { status: 404 });
      throw new Failure("engine_failed", `the library asked for ${address}`);
    },
  });
}
