/** Tokenizers small enough to read, of the two families there are, and the embedded model's. */

import { readFileSync } from "node:fs";

import { PreTrainedTokenizer } from "@huggingface/transformers";

/** @typedef {import("@huggingface/transformers").PreTrainedTokenizer} Tokenizer */

const TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** Begins with ordinary text, trims, and puts control tokens right beside what was typed. */
const BLUNT_TEMPLATE =
  "Chat:{% for message in messages %}[{{ message['role'] }}]<s>{{ message['content'] | trim }}</s>{% endfor %} A:";

/** GPT-2's letters for bytes. @returns {string[]} by byte */
function byteLetters() {
  const printable = (/** @type {number} */ byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 255 && byte !== 173);
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}

/** @param {number} id @param {string} content @param {object} [more] */
function added(id, content, more = {}) {
  return { id, content, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false, ...more };
}

/** Bytes and a few merges; one of them reaches a control token from ordinary letters. @returns {Tokenizer} */
export function byteLevel() {
  const merges = ["a b", "ab a", "< x", "<x >", "Ġ a", "1 2"];
  const words = [...byteLetters(), ...merges.map((merge) => merge.replace(" ", ""))];
  const vocab = Object.fromEntries(words.map((word, id) => [word, id]));
  const size = words.length;
  const model = { type: "BPE", vocab, merges, unk_token: null };
  return new PreTrainedTokenizer(
    {
      version: "1.0", normalizer: null, post_processor: null, model,
      pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, use_regex: true },
      decoder: { type: "ByteLevel" },
      added_tokens: [
        added(size, "<|im_start|>"), added(size + 1, "<|im_end|>"), added(size + 2, "<|im|>", { special: false }),
        added(vocab["<x>"], "<x>"), added(size + 3, "   ", { special: false }),
      ],
    },
    { chat_template: TEMPLATE, eos_token: "<|im_end|>" },
  );
}

/** SentencePiece's way: words begin with a visible space, also the first; unknown characters are bytes. @returns {Tokenizer} */
export function sentencePiece() {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`);
  const words = ["<unk>", "<s>", "</s>", ...bytes, "\u2581", ..."abcdefghijklmnopqrstuvwxyzACht:[]<>/.", "\u2581a", "he", "the"];
  const vocab = Object.fromEntries([...new Set(words)].map((word, id) => [word, id]));
  return new PreTrainedTokenizer(
    {
      version: "1.0", normalizer: null, post_processor: null,
      model: { type: "BPE", vocab, merges: ["\u2581 a", "h e", "t he"], unk_token: "<unk>", byte_fallback: true, fuse_unk: true },
      pre_tokenizer: { type: "Metaspace", replacement: "\u2581", prepend_scheme: "first", split: false },
      decoder: {
        type: "Sequence",
        decoders: [
          { type: "Replace", pattern: { String: "\u2581" }, content: " " }, { type: "ByteFallback" }, { type: "Fuse" },
          { type: "Strip", content: " ", start: 1, stop: 0 },
        ],
      },
      added_tokens: [added(0, "<unk>"), added(1, "<s>", { rstrip: true }), added(2, "</s>", { lstrip: true })],
    },
    { chat_template: BLUNT_TEMPLATE, unk_token: "<unk>", bos_token: "<s>", eos_token: "</s>" },
  );
}

/** @returns {string} the converted embedded model's folder, which `make js-tests` names */
export function embeddedModel() {
  const folder = process.env.EMBEDDED_MODEL;
  if (!folder) throw new Error("EMBEDDED_MODEL is not set: run `make js-tests`");
  return folder;
}

/** @param {string} folder @returns {Tokenizer} */
export function tokenizerOf(folder) {
  const read = (/** @type {string} */ name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8"));
  return new PreTrainedTokenizer(read("tokenizer.json"), read("tokenizer_config.json"));
}
