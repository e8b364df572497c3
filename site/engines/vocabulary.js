/**
 * A model's tokens, sorted for walking through them byte by byte.
 */

const LONGEST = 24; // bytes of a token; those beyond, runs of one character mostly, are not let through

/** Tokens in the order of their bytes. */
class Order {
  /** @param {Int32Array} ids sorted @param {(Uint8Array | null)[]} tokens */
  constructor(ids, tokens) {
    const spelled = /** @type {Uint8Array[]} */ (tokens);
    this.ids = ids;
    /** Bytes that a token shares with the one before. */
    this.common = ids.map((id, i) => (i === 0 ? 0 : common(spelled[ids[i - 1]], spelled[id])));
    /** Where the tokens of a first byte begin. */
    this.first = new Int32Array(257);
    for (const id of ids) this.first[spelled[id][0] + 1]++;
    for (let byte = 0; byte < 256; byte++) this.first[byte + 1] += this.first[byte];
  }
}

/** What ids stand for. */
export class Vocabulary {
  /** @type {Map<string, { others: Order, upTo: Uint32Array[] }>} */
  #parted = new Map();

  /**
   * @param {(Uint8Array | null)[]} tokens by id; null: none that text is made of
   * @param {Iterable<number>} ends ids that end an answer
   */
  constructor(tokens, ends) {
    this.tokens = tokens;
    this.words = Math.ceil(tokens.length / 32);
    this.ends = [...ends].filter((id) => id < tokens.length);
    const texts = tokens.map((bytes) => (bytes && bytes.length <= LONGEST ? latin1(bytes) : ""));
    const ids = Int32Array.from(tokens.keys()).filter((id) => texts[id] !== "");
    ids.sort((a, b) => (texts[a] < texts[b] ? -1 : 1)); // texts: their comparison is not our code
    this.all = new Order(ids, tokens);
    this.known = new Set(Array.from(ids, (id) => texts[id]));
    this.longest = ids.reduce((longest, id) => Math.max(longest, texts[id].length), 1);
  }

  /**
   * The tokens that are made of these characters only, by their length, and all others.
   *
   * @param {Uint8Array} ascii by character: 1 for those
   * @returns {{ others: Order, upTo: Uint32Array[] }} `upTo[n]`: bits of those of at most n
   */
  parted(ascii) {
    const key = ascii.join("");
    let parted = this.#parted.get(key);
    if (!parted) {
      const lengths = this.all.ids.map((id) => {
        const bytes = /** @type {Uint8Array} */ (this.tokens[id]);
        return bytes.every((byte) => ascii[byte] === 1) ? bytes.length : 0;
      });
      const upTo = [new Uint32Array(this.words)];
      for (let length = 1; length <= this.longest; length++) {
        const bits = upTo[length - 1].slice();
        this.all.ids.forEach((id, i) => {
          if (lengths[i] === length) bits[id >> 5] |= 1 << (id & 31);
        });
        upTo.push(bits);
      }
      parted = { others: new Order(this.all.ids.filter((_, i) => lengths[i] === 0), this.tokens), upTo };
      this.#parted.set(key, parted);
    }
    return parted;
  }

  /** @param {Uint8Array} bytes @returns {number[]} from each place to the end: tokens that spell it */
  costs(bytes) {
    const text = latin1(bytes);
    const costs = new Array(bytes.length + 1).fill(Infinity);
    costs[bytes.length] = 0;
    for (let at = bytes.length - 1; at >= 0; at--) {
      for (let end = Math.min(bytes.length, at + this.longest); end > at; end--) {
        if (this.known.has(text.slice(at, end))) costs[at] = Math.min(costs[at], 1 + costs[end]);
      }
    }
    return costs;
  }
}

/** @param {Uint8Array} a @param {Uint8Array} b */
function common(a, b) {
  const shorter = Math.min(a.length, b.length);
  let length = 0;
  while (length < shorter && a[length] === b[length]) length++;
  return length;
}

/** @param {Uint8Array} bytes */
function latin1(bytes) {
  return String.fromCharCode(...bytes);
}
