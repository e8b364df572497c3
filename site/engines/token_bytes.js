/**
 * The bytes that ids stand for, from a tokenizer's vocabulary.
 *
 * @typedef {import("@huggingface/transformers").PreTrainedTokenizer} Tokenizer
 */

const UTF8 = new TextEncoder();

/**
 * @param {Tokenizer} tokenizer
 * @param {Iterable<number>} control ids that are never text
 * @returns {(Uint8Array | null)[] | null} by id, null for those; null for a tokenizer whose tokens are no pieces of text
 */
export function tokenBytes(tokenizer, control) {
  const json = /** @type {any} */ (tokenizer._tokenizerJSON);
  const decoders = JSON.stringify(json.decoder ?? null);
  const spell = decoders.includes('"ByteLevel"') ? byteLevel : /ByteFallback|Metaspace|\u2581/u.test(decoders) ? sentencePiece : null;
  if (!spell) return null;
  /** @type {(Uint8Array | null)[]} */
  const tokens = [];
  for (const [token, id] of tokenizer.get_vocab()) tokens[id] = spell(token);
  for (const { id, content } of json.added_tokens ?? []) tokens[id] = UTF8.encode(content.replaceAll("\u2581", " "));
  for (const id of control) tokens[id] = null;
  return Array.from(tokens, (token) => token ?? null);
}

/** GPT-2's way of writing bytes as printable characters: those that are, as themselves, the others from U+0100 on. */
const BYTES = new Map(
  Array.from({ length: 256 }, (_, byte) => byte)
    .filter((byte) => !isPrintable(byte))
    .map((byte, i) => /** @type {[string, number]} */ ([String.fromCharCode(0x100 + i), byte])),
);

/** @param {number} byte */
function isPrintable(byte) {
  return (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte < 0xad) || byte > 0xad;
}

/** @param {string} token */
function byteLevel(token) {
  return Uint8Array.from(token, (character) => BYTES.get(character) ?? character.charCodeAt(0));
}

/** @param {string} token */
function sentencePiece(token) {
  const byte = /^<0x([0-9A-F]{2})>$/.exec(token);
  return byte ? Uint8Array.of(parseInt(byte[1], 16)) : UTF8.encode(token.replaceAll("\u2581", " "));
}
