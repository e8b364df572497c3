import assert from "node:assert/strict";
import { test } from "node:test";

import { Detokenizer, StopStrings } from "../../../site/engines/text_stream.js";
import { xoshiro128 } from "../../../site/engines/sampling.js";

const random = xoshiro128(3);
const utf8 = new TextEncoder();

/** A byte-level vocabulary: an id is a byte, 256 is a special token. @param {number[]} ids */
const decodeBytes = (ids) => new TextDecoder().decode(Uint8Array.from(ids.filter((id) => id < 256)));

/** SentencePiece's way: every word begins with a space, which the beginning of a text drops. @param {number[]} ids */
const decodeWords = (ids) => ids.map((id) => ` w${id}`).join("").replace(/^ /, "");

/** @param {(ids: number[]) => string} decode @param {number[]} ids */
function stream(decode, ids) {
  const text = new Detokenizer(decode, new Set([256]));
  const pieces = ids.map((id) => text.push(id));
  return [...pieces, text.flush()];
}

test("pieces of a byte-level text are whole characters and add up to it", () => {
  const text = "Añ日本語 👩‍👩‍👧 e\u0301 𝒳 end";
  const pieces = stream(decodeBytes, [...utf8.encode(text)]);
  assert.equal(pieces.join(""), text);
  for (const piece of pieces) assert.equal(piece, piece.toWellFormed());
  assert.ok(!pieces.join("|").includes("\uFFFD"));
});

test("random bytes, valid or not, add up to their decoding", () => {
  for (let i = 0; i < 300; i++) {
    const ids = Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 257));
    assert.equal(stream(decodeBytes, ids).join(""), decodeBytes(ids));
  }
});

test("a word keeps the space before it although the beginning of a text drops it", () => {
  const ids = [1, 2, 256, 3, 4, 256, 256, 5];
  assert.deepEqual(stream(decodeWords, ids), ["w1", " w2", "", " w3", " w4", "", "", " w5", ""]);
});

test("an unfinished character is held back, and given out as it is at the end", () => {
  const text = new Detokenizer(decodeBytes, new Set());
  assert.equal(text.push(0x41), "A");
  assert.equal(text.push(0xe6), "");
  assert.equal(text.push(0x97), "");
  assert.equal(text.flush(), "\uFFFD");
  assert.equal(text.flush(), "");
});

/** @param {string[]} stops @param {string[]} pieces */
function shown(stops, pieces) {
  const visible = new StopStrings(stops);
  const out = pieces.map((piece) => visible.push(piece));
  return { text: out.join("") + visible.flush(), stopped: visible.stopped };
}

test("text ends before the first stop string, wherever the pieces are cut", () => {
  for (let i = 0; i < 500; i++) {
    const text = Array.from({ length: 30 }, () => "ab\n"[Math.floor(random() * 3)]).join("");
    const stops = ["aab", "b\nb", "abab"].slice(0, 1 + Math.floor(random() * 3));
    const pieces = [];
    for (let from = 0; from < text.length; ) {
      const length = 1 + Math.floor(random() * 4);
      pieces.push(text.slice(from, from + length));
      from += length;
    }
    const first = Math.min(...stops.map((stop) => (text.includes(stop) ? text.indexOf(stop) : Infinity)));
    const result = shown(stops, pieces);
    // The earliest stop of the text as it arrives: a longer one that begins earlier but is complete later may lose.
    assert.ok(stops.every((stop) => !result.text.includes(stop)));
    assert.equal(result.stopped, first < Infinity);
    assert.ok(text.startsWith(result.text));
    if (!result.stopped) assert.equal(result.text, text);
  }
});

test("the beginning of a stop string is held back until it is known not to be one", () => {
  const visible = new StopStrings(["<end>"]);
  assert.equal(visible.push("a <e"), "a ");
  assert.equal(visible.push("n"), "");
  assert.equal(visible.push("tity>"), "<entity>");
  assert.equal(visible.push("<en"), "");
  assert.equal(visible.flush(), "<en");
  assert.equal(visible.push("<end>more"), "");
  assert.equal(visible.push("more"), "");
  assert.ok(visible.stopped);
});

test("an empty stop string stops nothing", () => {
  assert.deepEqual(shown([""], ["a", "b"]), { text: "ab", stopped: false });
});
