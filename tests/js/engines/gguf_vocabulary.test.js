import assert from "node:assert/strict";
import { test } from "node:test";

import { NotGguf, readVocabulary } from "../../../site/engines/gguf_vocabulary.js";

/** @param {number} value */
const u32 = (value) => new Uint8Array(Uint32Array.of(value).buffer);
/** @param {number | bigint} value */
const u64 = (value) => new Uint8Array(BigUint64Array.of(BigInt(value)).buffer);
/** @param {string} text */
const string = (text) => {
  const bytes = new TextEncoder().encode(text);
  return [u64(bytes.length), bytes];
};
/** @param {string} key @param {number} type @param {Uint8Array<ArrayBuffer>[]} value */
const pair = (key, type, value) => [...string(key), u32(type), ...value];
/** @param {string[]} items */
const strings = (items) => [u32(8), u64(items.length), ...items.flatMap(string)];
/** @param {number[]} items */
const integers = (items) => [u32(5), u64(items.length), ...items.map(u32)];

const TOKENS = ["<s>", "a", "ñ", "<|end|>", ""];
const PAIRS = [
  pair("general.architecture", 8, string("llama")),
  pair("llama.block_count", 4, [u32(30)]),
  pair("llama.scale", 12, [u64(0)]),
  pair("a.flag", 7, [Uint8Array.of(1)]),
  pair("tokenizer.ggml.merges", 9, strings(["a b", "c d"])),
  pair("tokenizer.ggml.scores", 9, [u32(6), u64(2), u32(0), u32(0)]),
  pair("tokenizer.ggml.tokens", 9, strings(TOKENS)),
  pair("tokenizer.ggml.token_type", 9, integers([3, 1, 1, 3, 3])),
];

/** @param {Uint8Array<ArrayBuffer>[][]} pairs */
const gguf = (pairs, { magic = 0x46554747, version = 3 } = {}) => new Blob([u32(magic), u32(version), u64(2), u64(pairs.length), ...pairs.flat()]);

test("tokens, and those of them that are never text", async () => {
  const { tokens, control } = await readVocabulary(gguf(PAIRS));
  assert.deepEqual(tokens, TOKENS);
  assert.deepEqual(control, ["<s>", "<|end|>"]);
});

test("a header larger than the first read is read on", async () => {
  const large = pair("tokenizer.ggml.merges", 9, strings([" ".repeat(6_000_000)]));
  assert.deepEqual((await readVocabulary(gguf([large, ...PAIRS.slice(-2)]))).tokens, TOKENS);
});

test("a header without a vocabulary has none", async () => {
  assert.deepEqual(await readVocabulary(gguf(PAIRS.slice(0, 2))), { tokens: [], control: [] });
});

/** @type {[string, Blob][]} */
const BROKEN = [
  ["nothing", new Blob([])],
  ["another magic", gguf(PAIRS, { magic: 0x58554747 })],
  ["an unknown version", gguf(PAIRS, { version: 9 })],
  ["the end in the middle", gguf(PAIRS).slice(0, 200)],
  ["a string of 16 EB", gguf([[u64(2n ** 64n - 1n), u32(0)]])],
  ["an array of 16 EB", gguf([pair("x", 9, [u32(0), u64(2n ** 64n - 1n)])])],
  ["so many strings", gguf([pair("tokenizer.ggml.tokens", 9, [u32(8), u64(2n ** 63n)])])],
  ["an unknown type", gguf([pair("x", 77, [])])],
  ["tokens that are numbers", gguf([pair("tokenizer.ggml.tokens", 9, integers([1]))])],
  ["tokens that are one string", gguf([pair("tokenizer.ggml.tokens", 8, string("a"))])],
  ["more pairs than there are", new Blob([u32(0x46554747), u32(3), u64(0), u64(2n ** 60n)])],
];

for (const [what, file] of BROKEN) {
  test(`${what} is not a GGUF`, () => assert.rejects(readVocabulary(file), NotGguf));
}
