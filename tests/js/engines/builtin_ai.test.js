/** The names the Prompt API had before today's: browsers of last year and extensions still have those. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { OPS } from "../../../site/engines/builtin_ai.js";

class OldSession extends EventTarget {
  inputQuota = 9216;
  destroyed = false;
  /** @param {unknown} input */
  async measureInputUsage(input) {
    return JSON.stringify(input).length;
  }
  async *promptStreaming() {
    yield "one";
    this.dispatchEvent(new Event("quotaoverflow"));
    yield "two";
  }
  destroy() {
    this.destroyed = true;
  }
}

/** @type {any[]} */
const created = [];
const session = new OldSession();
const old = {
  params: async () => ({ defaultTopK: 3, maxTopK: 8, defaultTemperature: 1, maxTemperature: 2 }),
  availability: async () => "available",
  /** @param {any} options */
  create: async (options) => {
    created.push(options);
    return session;
  },
};

/** @param {string} verb @param {unknown} payload @returns {Promise<any[]>} what it emits */
async function ask(verb, payload) {
  /** @type {unknown[]} */
  const values = [];
  await OPS[`builtin_ai.${verb}`](payload, new AbortController().signal, (value) => values.push(value));
  return values;
}

test("without the API it is missing", async () => {
  assert.deepEqual(await ask("probe", { languages: ["en"] }), [{ availability: "missing", sampling: null }]);
});

test("the older names, and sampling where a page may still choose it", async () => {
  Object.assign(globalThis, { LanguageModel: old });
  assert.deepEqual(await ask("probe", { languages: ["en"] }), [
    { availability: "available", sampling: { max_temperature: 2, max_top_k: 8 } },
  ]);
  const sampling = { temperature: 0, top_k: 3 };
  const payload = { id: 1, languages: ["en"], messages: [], sampling };
  assert.deepEqual(await ask("create", payload), [{ context_tokens: 9216 }]);
  assert.deepEqual([created[0].temperature, created[0].topK], [0, 3]);
  assert.deepEqual(await ask("count", { id: 1, messages: [] }), [{ tokens: 2 }]);
  const answer = await ask("generate", { id: 1, messages: [], schema: null });
  assert.deepEqual(answer, [{ piece: "one" }, { overflowed: true }, { piece: "two" }]);
});

test("sessions that are not kept are given back", async () => {
  await ask("keep", { ids: [] });
  assert.ok(session.destroyed);
  await assert.rejects(ask("count", { id: 1, messages: [] }), { code: "not_loaded" });
});
