/**
 * Grammars for one tokenizer. What is the same for all of them is made with the first, and the last one is kept: a batch
 * asks for the same again and again.
 *
 * @typedef {import("@huggingface/transformers").PreTrainedTokenizer} Tokenizer
 */

import { Failure } from "../worker.js";
import { Constraint, Grammar } from "./grammar.js";
import { tokenBytes } from "./token_bytes.js";
import { Vocabulary } from "./vocabulary.js";

export class Grammars {
  /** @type {Vocabulary | null} */
  #vocabulary = null;
  /** @type {{ source: string, grammar: Grammar } | null} */
  #last = null;

  /**
   * @param {Tokenizer} tokenizer
   * @param {{ control: ReadonlyMap<string, { id: number }> }} chat
   */
  constructor(tokenizer, { control }) {
    this.tokenizer = tokenizer;
    this.control = [...tokenizer.all_special_ids, ...[...control.values()].map(({ id }) => id)];
  }

  /**
   * @param {string} source
   * @param {Iterable<number>} ends ids that end an answer
   * @param {string} begun the answer goes on after that
   * @returns {Constraint}
   */
  constraint(source, ends, begun) {
    this.#vocabulary ??= this.#made(ends);
    if (this.#last?.source !== source || !this.#last.grammar.isSmall) {
      this.#last = { source, grammar: understood(() => new Grammar(source, /** @type {Vocabulary} */ (this.#vocabulary))) };
    }
    const constraint = new Constraint(this.#last.grammar);
    understood(() => constraint.read(new TextEncoder().encode(begun)));
    return constraint;
  }

  /** @param {Iterable<number>} ends */
  #made(ends) {
    const tokens = tokenBytes(this.tokenizer, this.control);
    if (!tokens) throw new Failure("invalid_request", "this model's tokens are no pieces of text");
    return new Vocabulary(tokens, ends);
  }
}

/** @template T @param {() => T} work @returns {T} */
function understood(work) {
  try {
    return work();
  } catch (error) {
    throw new Failure("invalid_request", /** @type {Error} */ (error).message);
  }
}
