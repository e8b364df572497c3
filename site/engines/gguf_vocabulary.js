/**
 * What a GGUF's header says of its tokens. llama.cpp reads the rest; this it keeps to itself, and it takes to find the
 * control tokens in what people typed.
 *
 * The format is ggml's docs/gguf.md; every number is little-endian.
 */

const MAGIC = 0x46554747; // "GGUF"
const TOKENS = "tokenizer.ggml.tokens";
const TYPES = "tokenizer.ggml.token_type";
const CONTROL = 3; // llama.h, LLAMA_TOKEN_TYPE_CONTROL
const STRING = 8;
const ARRAY = 9;
/** Bytes of the types of fixed size. @type {Record<number, number>} */
const BYTES = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };
const FIRST_READ_BYTES = 2 ** 22; // holds a vocabulary of 50 000 tokens
const MOST_BYTES = 2 ** 27; // the largest vocabularies take a tenth of it

export class NotGguf extends Error {}

/** @typedef {{ tokens: string[], control: string[] }} Vocabulary `control`: those that are never text */

/**
 * @param {Blob} file the first, where there are several
 * @returns {Promise<Vocabulary>} empty where the header has none
 * @throws {NotGguf}
 */
export async function readVocabulary(file) {
  for (let bytes = FIRST_READ_BYTES; ; bytes *= 4) {
    try {
      return parse(new DataView(await file.slice(0, bytes).arrayBuffer()));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (bytes >= Math.min(file.size, MOST_BYTES)) throw new NotGguf("the header ends too early");
    }
  }
}

/**
 * @param {DataView} view the beginning of a file
 * @returns {Vocabulary}
 * @throws {RangeError} when it is too short
 */
function parse(view) {
  const reader = new Reader(view);
  if (reader.u32() !== MAGIC) throw new NotGguf("the file does not begin as a GGUF does");
  const version = reader.u32();
  if (version !== 2 && version !== 3) throw new NotGguf(`GGUF version ${version} is not known`);
  reader.u64(); // tensors
  /** @type {string[]} */
  let tokens = [];
  /** @type {number[]} */
  let types = [];
  for (let left = reader.u64(); left > 0; left--) {
    const key = reader.string();
    const type = reader.u32();
    if (key === TOKENS) tokens = reader.array(type, STRING, () => reader.string());
    else if (key === TYPES) types = reader.array(type, 5, () => reader.i32());
    else reader.skip(type);
  }
  return { tokens, control: tokens.filter((token, id) => types[id] === CONTROL && token !== "") };
}

class Reader {
  #at = 0;
  #utf8 = new TextDecoder();

  /** @param {DataView} view */
  constructor(view) {
    this.view = view;
  }

  u32() {
    return this.view.getUint32(this.#advance(4), true);
  }

  i32() {
    return this.view.getInt32(this.#advance(4), true);
  }

  u64() {
    return Number(this.view.getBigUint64(this.#advance(8), true));
  }

  string() {
    const bytes = this.u64();
    const at = this.#advance(bytes);
    return this.#utf8.decode(new Uint8Array(this.view.buffer, this.view.byteOffset + at, bytes));
  }

  /**
   * @template T
   * @param {number} type
   * @param {number} of the type its elements must have
   * @param {() => T} read
   * @returns {T[]}
   */
  array(type, of, read) {
    if (type !== ARRAY || this.u32() !== of) throw new NotGguf("the vocabulary is not of the types it should be");
    /** @type {T[]} */
    const values = [];
    for (let left = this.u64(); left > 0; left--) values.push(read());
    return values;
  }

  /** @param {number} type */
  skip(type) {
    if (type === STRING) this.#advance(this.u64());
    else if (type === ARRAY) this.#skipArray(this.u32(), this.u64());
    else this.#advance(size(type));
  }

  /** @param {number} type @param {number} length */
  #skipArray(type, length) {
    if (type !== STRING) this.#advance(length * size(type)); // nobody nests them
    else for (let left = length; left > 0; left--) this.#advance(this.u64());
  }

  /** @param {number} bytes @returns {number} where they begin */
  #advance(bytes) {
    const at = this.#at;
    if (at + bytes > this.view.byteLength) throw new RangeError("beyond what was read");
    this.#at += bytes;
    return at;
  }
}

/** @param {number} type */
function size(type) {
  const bytes = BYTES[type];
  if (bytes === undefined) throw new NotGguf(`the header has a value of an unknown type ${type}`);
  return bytes;
}
