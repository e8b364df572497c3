/**
 * From token ids to the text a reader may see: whole characters only, and never a piece of a stop string.
 */

const CONTEXT = 6; // ids: more than a character is ever made of
const REPLACEMENT = "\uFFFD"; // what a decoder gives for bytes that are not (yet) a character

/**
 * Decodes ids one at a time. The pieces together equal the decoding of all ids at once.
 *
 * The method is that of Hugging Face's text-generation-inference (`decode_token`): decode a short window twice, with and
 * without the new ids, and give the difference. The window begins one piece earlier, so what a tokenizer does to the
 * beginning of a text (SentencePiece drops a space) happens to both and cancels out.
 */
export class Detokenizer {
  /** @type {number[]} ids of the piece before, then of the one being made */
  #window = [];
  #settled = 0; // ids of #window that have been given out
  #given = ""; // their text

  /**
   * @param {(ids: number[]) => string} decode
   * @param {ReadonlySet<number>} skip ids that are never text
   * @param {readonly number[]} [before] ids whose text these go on; it is not given out again
   */
  constructor(decode, skip, before = []) {
    this.decode = decode;
    this.skip = skip;
    this.#window = before.filter((id) => !skip.has(id)).slice(-CONTEXT);
    this.#settled = this.#window.length;
    this.#given = this.#settled ? decode(this.#window) : "";
  }

  /**
   * @param {number} id
   * @returns {string} what can be read now; "" while a character is incomplete
   */
  push(id) {
    if (this.skip.has(id)) return "";
    this.#window.push(id);
    const text = this.decode(this.#window);
    if (text.endsWith(REPLACEMENT)) return "";
    const piece = text.slice(this.#given.length);
    this.#window.splice(0, this.#settled);
    this.#settled = this.#window.length;
    this.#given = this.decode(this.#window);
    return piece;
  }

  /** @returns {string} what was held back: the ids of a character that never became whole */
  flush() {
    if (this.#window.length === this.#settled) return "";
    const piece = this.decode(this.#window).slice(this.#given.length);
    this.#settled = this.#window.length;
    return piece;
  }
}

/** Cuts a text before the first of some strings, wherever the pieces it arrives in are cut. */
export class StopStrings {
  #held = ""; // the end of the text so far that may be the beginning of a stop string
  stopped = false;

  /** @param {readonly string[]} stops */
  constructor(stops) {
    this.stops = stops.filter((stop) => stop !== "");
  }

  /**
   * @param {string} piece
   * @returns {string} what can be shown now
   */
  push(piece) {
    if (this.stopped) return "";
    const text = this.#held + piece;
    const found = this.stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length > 0) {
      this.stopped = true;
      this.#held = "";
      return text.slice(0, Math.min(...found));
    }
    const kept = Math.max(0, ...this.stops.map((stop) => overlap(text, stop)));
    this.#held = text.slice(text.length - kept);
    return text.slice(0, text.length - kept);
  }

  /** @returns {string} what was held back and turned out to be text */
  flush() {
    const text = this.#held;
    this.#held = "";
    return text;
  }
}

/**
 * @param {string} text
 * @param {string} stop
 * @returns {number} length of the longest end of `text` that begins `stop` without being all of it
 */
function overlap(text, stop) {
  for (let length = Math.min(text.length, stop.length - 1); length > 0; length--) {
    if (text.endsWith(stop.slice(0, length))) return length;
  }
  return 0;
}
