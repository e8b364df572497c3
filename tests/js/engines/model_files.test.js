import assert from "node:assert/strict";
import { test } from "node:test";

import { hasSimd } from "../../../site/engines/capabilities.js";
import { MODEL, readFrom } from "../../../site/engines/model_files.js";
import { Failure } from "../../../site/worker.js";

/** Where transformers.js looks for a file (utils/hub.js, buildResourcePaths). @param {any} env @param {string} name */
const address = (env, name) => `${env.remoteHost}/${env.remotePathTemplate.replaceAll("{model}", MODEL)}${name}`;

test("a file is read from its Blob, with its length", async () => {
  const env = /** @type {any} */ ({});
  readFrom(env, { "onnx/model.onnx": new Blob(["weights"]) });
  const response = await env.customCache.match(address(env, "onnx/model.onnx"));
  assert.equal(await response.text(), "weights");
  assert.equal(response.headers.get("content-length"), "7");
  assert.ok(env.useCustomCache && !env.useBrowserCache && !env.useWasmCache && !env.allowLocalModels);
});

test("a file that is not there is a 404 that no server gave, and nothing is stored", async () => {
  const env = /** @type {any} */ ({});
  readFrom(env, {});
  assert.equal(await env.customCache.match(address(env, "generation_config.json")), undefined);
  assert.equal((await env.fetch(address(env, "generation_config.json"))).status, 404);
  await env.customCache.put(address(env, "x"), new Response("x"));
  assert.equal(await env.customCache.match(address(env, "x")), undefined);
});

test("any other address is refused", async () => {
  const env = /** @type {any} */ ({});
  readFrom(env, {});
  assert.equal(await env.customCache.match("/models/model/config.json"), undefined);
  await assert.rejects(env.fetch("https://huggingface.co/model/config.json"), Failure);
  await assert.rejects(env.fetch(new URL("http://localhost/config.json")), Failure);
});

test("the module that asks for SIMD is a valid one", () => {
  assert.ok(hasSimd()); // Node has it; a mistake in its bytes would say no everywhere
});
