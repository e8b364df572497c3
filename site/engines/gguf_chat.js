/**
 * A chat as the text llama.cpp takes, through the template in the GGUF, where what people typed can never become a
 * control token.
 *
 * llama.cpp finds control tokens wherever they are in a text. So one that was typed gets an invisible character after its
 * first: it reads the same and is ordinary text.
 *
 * @typedef {import("../protocol.d.ts").WireMessage} WireMessage
 * @typedef {import("./gguf_vocabulary.js").Vocabulary} Vocabulary
 */

const WORD_JOINER = "\u2060";

export class GgufChat {
  /**
   * @param {{ render(items: Record<string, unknown>): string }} template
   * @param {Vocabulary} vocabulary
   * @param {{ bos: number, eos: number, addsBos: boolean }} special ids, below 0 where there is none; whether llama.cpp
   *   puts the first before every prompt by itself
   */
  constructor(template, vocabulary, { bos, eos, addsBos }) {
    const { tokens, control } = vocabulary;
    this.template = template;
    this.special = { bos_token: addsBos ? "" : (tokens[bos] ?? ""), eos_token: tokens[eos] ?? "" };
    // Every one, wherever it begins: of two that overlap both must go.
    this.typed = new RegExp(`(?=${control.map(escaped).join("|") || "(?!)"})(.)`, "gs");
    this.filler = control[0];
  }

  /**
   * @param {readonly WireMessage[]} messages the whole conversation, oldest first
   * @param {boolean} [continueLast] the last message is the beginning of the answer
   * @returns {string} up to where the assistant's answer begins or goes on
   */
  prompt(messages, continueLast = false) {
    const plain = messages.map((message) => ({ ...message, content: this.#asText(message.content) }));
    // As it was when the answer began, then the answer: what a template does to finished answers is not done to it.
    const begun = continueLast ? plain.pop() : undefined;
    const items = { ...this.special, messages: plain, add_generation_prompt: true, tools: null };
    return this.template.render(items) + (begun?.content ?? "");
  }

  /**
   * @param {string} prompt
   * @param {number} tokens
   * @returns {string} the prompt with exactly so many tokens behind it: a control token ends what comes before it
   */
  padded(prompt, tokens) {
    return prompt + this.filler.repeat(tokens);
  }

  /** @param {string} text */
  #asText(text) {
    return text.replace(this.typed, `$1${WORD_JOINER}`);
  }
}

/** @param {string} text */
function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
