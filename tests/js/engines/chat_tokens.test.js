import assert from "node:assert/strict";
import { test } from "node:test";

import { ChatTokens } from "../../../site/engines/chat_tokens.js";
import { xoshiro128 } from "../../../site/engines/sampling.js";
import { Detokenizer } from "../../../site/engines/text_stream.js";
import { byteLevel, embeddedModel, sentencePiece, tokenizerOf } from "./tokenizers.js";

/** @typedef {import("../../../site/protocol.d.ts").WireMessage} WireMessage */

const TOKENIZERS = { byteLevel: byteLevel(), sentencePiece: sentencePiece(), embedded: tokenizerOf(embeddedModel()) };
const PIECES = [
  "a", "ab", "aba", " a", " ", "  ", "   ", "\n", "\n\n", "the", "The quick", "12", "007", "<", ">", "|", "<|", "|>", "im_start", "</",
  "ñ", "日本", "👩‍👩‍👧", "\uE000", "\uF8FF", "x", "\t", "'s", "\u0000", "\u2581", "\u00a0",
];
const random = xoshiro128(11);
const pick = (/** @type {string[]} */ from) => from[Math.floor(random() * from.length)];
const words = (/** @type {string[]} */ from) => Array.from({ length: Math.floor(random() * 12) }, () => pick(from)).join("");

/** @param {string[]} from @returns {WireMessage[]} */
function chat(from) {
  const roles = /** @type {const} */ (["user", "assistant", "user", "assistant", "user"]);
  return roles.slice(0, 1 + 2 * Math.floor(random() * 3)).map((role) => ({ role, content: words(from) }));
}

/** @param {import("@huggingface/transformers").PreTrainedTokenizer} tokenizer @param {WireMessage[]} messages */
const standard = (tokenizer, messages) =>
  tokenizer.apply_chat_template(messages, { add_generation_prompt: true, return_tensor: false, return_dict: false });

/** Text of all ids, with neither control tokens dropped nor blanks cleaned up. @param {import("@huggingface/transformers").PreTrainedTokenizer} tokenizer @param {number[]} ids */
const spelled = (tokenizer, ids) => tokenizer.decode(ids, { skip_special_tokens: false, clean_up_tokenization_spaces: false });

for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
  const control = [...tokenizer._tokenizer.get_added_tokens_decoder().values()].filter((token) => token.content.trim() !== "");
  const contents = control.map((token) => token.content);
  const controlIds = new Set(control.filter((token) => token.id !== tokenizer.unk_token_id).map((token) => token.id));
  const count = (/** @type {readonly number[]} */ ids) => ids.filter((id) => controlIds.has(id)).length;

  test(`${name}: what holds no control string has exactly the standard ids`, () => {
    const chats = new ChatTokens(tokenizer);
    for (let i = 0; i < 300; i++) {
      const messages = chat(PIECES).filter(({ content }) => !contents.some((string) => content.includes(string)));
      if (messages.length > 0) assert.deepEqual(chats.encode(messages), standard(tokenizer, messages));
    }
  });

  test(`${name}: the careful way gives the standard ids too, wherever a chat is cut`, () => {
    const chats = new ChatTokens(tokenizer);
    for (let i = 0; i < 300; i++) {
      const messages = chat(PIECES).filter(({ content }) => !contents.some((string) => content.includes(string)));
      if (messages.length === 0) continue;
      const rendered = tokenizer.apply_chat_template(messages, { add_generation_prompt: true, tokenize: false });
      assert.deepEqual(chats.split(rendered, (text) => text), standard(tokenizer, messages));
    }
  });

  test(`${name}: a typed control string is text: no control token more, and every letter is there`, () => {
    const chats = new ChatTokens(tokenizer);
    for (let i = 0; i < 300; i++) {
      const messages = chat([...PIECES, ...contents, ...contents]);
      const harmless = messages.map((message) => ({ ...message, content: "a" }));
      const ids = chats.encode(messages);
      assert.equal(count(ids), count(standard(tokenizer, harmless)), JSON.stringify(messages));
      const rendered = tokenizer.apply_chat_template(messages, { add_generation_prompt: true, tokenize: false });
      const blanks = /[\s\u2581]/gu; // a tokenizer may drop blanks beside a control token; \u2581 is SentencePiece's
      assert.equal(spelled(tokenizer, [...ids]).replace(blanks, ""), rendered.replace(blanks, ""));
    }
  });

  test(`${name}: pieces of the text add up to all of it`, () => {
    const { size } = tokenizer.get_vocab(); // which makes all of it anew each time
    for (let i = 0; i < 300; i++) {
      const ids = Array.from({ length: 30 }, () => Math.floor(random() * size));
      const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
      const text = new Detokenizer((part) => tokenizer.decode(part, options), new Set(tokenizer.all_special_ids));
      const pieces = ids.map((id) => text.push(id));
      assert.equal([...pieces, text.flush()].join(""), tokenizer.decode(ids, options));
    }
  });
}

for (const [name, tokenizer] of Object.entries(TOKENIZERS)) {
  test(`${name}: an answer that goes on is the prompt it had, then its words, and no control token more`, () => {
    const chats = new ChatTokens(tokenizer);
    for (let i = 0; i < 100; i++) {
      const messages = chat(PIECES);
      const begun = `The quick ${words(["a", " ab", " the", "\n", " 12", "'s"])}`;
      const asked = [...chats.encode(messages)];
      const ids = chats.encode([...messages, { role: "assistant", content: begun }], true);
      assert.deepEqual(ids.slice(0, asked.length), asked);
      const options = { skip_special_tokens: true, clean_up_tokenization_spaces: false };
      const text = new Detokenizer((part) => tokenizer.decode(part, options), new Set(tokenizer.all_special_ids), asked);
      assert.equal(ids.slice(asked.length).map((id) => text.push(id)).join("") + text.flush(), begun);
    }
  });
}

test("a chat is encoded once, however often it is asked for", () => {
  const chats = new ChatTokens(TOKENIZERS.byteLevel);
  const messages = /** @type {WireMessage[]} */ ([{ role: "user", content: "aba" }]);
  assert.equal(chats.encode(messages), chats.encode(structuredClone(messages)));
});

test("a tokenizer without added tokens hides nothing", () => {
  const tokenizer = byteLevel();
  tokenizer._tokenizerJSON.added_tokens = undefined;
  const messages = /** @type {WireMessage[]} */ ([{ role: "user", content: "<|im_end|>" }]);
  assert.deepEqual(new ChatTokens(tokenizer).encode(messages), standard(tokenizer, messages));
});

test("a megabyte of pasted text is read in one go, whatever is in it", { timeout: 180_000 }, () => {
  const chats = new ChatTokens(/** @type {any} */ (TOKENIZERS).embedded);
  for (const text of ["The sea is wide. ", "a<|im_end|>\n"]) {
    assert.ok(chats.encode([{ role: "user", content: text.repeat(1e6 / text.length) }]).length > 2e5);
  }
});
