import assert from "node:assert/strict";
import { test } from "node:test";

import { ModelType, postInitAndCheckFieldsChatCompletion } from "@mlc-ai/web-llm";

import { asRequest } from "../../../site/engines/webllm_request.js";

const SAMPLING = { temperature: 0, top_p: 0.9, repetition_penalty: 1.1, seed: 2 ** 32 - 1 };
const TALK = /** @type {import("../../../site/protocol.d.ts").WireMessage[]} */ ([
  { role: "system", content: "Be brief." },
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
  { role: "user", content: "c" },
]);

/** The library's own check of a request; it throws its errors. @param {Partial<Parameters<typeof asRequest>[0]>} changes */
function checked(changes) {
  const request = asRequest({ messages: TALK, sampling: SAMPLING, max_new_tokens: 5, grammar: null, ...changes });
  postInitAndCheckFieldsChatCompletion(request, "model", ModelType.LLM);
  return request;
}

test("the library takes our request", () => {
  assert.equal(checked({}).max_tokens, 5);
  assert.equal("response_format" in checked({}), false);
  assert.deepEqual(checked({ grammar: 'root ::= "{}"' }).response_format, { type: "grammar", grammar: 'root ::= "{}"' });
});

test("the library's refusals have the names we know", () => {
  const last = /** @type {typeof TALK} */ ([{ role: "assistant", content: "b" }]);
  assert.throws(() => checked({ messages: last }), { name: "MessageOrderError" });
  assert.throws(() => checked({ messages: [TALK[1], TALK[0], TALK[3]] }), { name: "SystemMessageOrderError" });
});
