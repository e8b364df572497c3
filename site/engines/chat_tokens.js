/**
 * A chat as token ids, through the model's own template, where what people typed can never become a control token.
 *
 * `<|im_end|>` typed by a user is six ordinary tokens, not the end of the message. The template cannot be told, so the
 * typed ones are hidden from it behind a private-use character, the rendered text is cut at the control tokens that are
 * left (the template's own), and the text in between goes through a second tokenizer that knows no control tokens.
 *
 * @typedef {import("../protocol.d.ts").WireMessage} WireMessage
 * @typedef {import("@huggingface/transformers").PreTrainedTokenizer} Tokenizer
 * @typedef {{ id: number, content: string, special?: boolean, lstrip?: boolean, rstrip?: boolean }} AddedToken
 */

/** Keeps the ids of the last chat: a chat is counted first and generated from next, and a megabyte takes seconds. */
export class ChatTokens {
  #last = { key: "", ids: /** @type {number[]} */ ([]) };

  /** @param {Tokenizer} tokenizer */
  constructor(tokenizer) {
    this.tokenizer = tokenizer;
    const { added_tokens = [] } = /** @type {{ added_tokens?: AddedToken[] }} */ (tokenizer._tokenizerJSON);
    // Runs of blanks are "added" in some vocabularies (GPT-NeoX, Gemma) and ordinary text all the same.
    const control = added_tokens.filter(({ content }) => /[^\s\u2581]/u.test(content));
    this.control = new Map(control.map((token) => [token.content, token]));
    this.pattern = anyOf([...this.control.keys()]);
    this.plain = new PlainText(tokenizer, this.control);
  }

  /**
   * @param {readonly WireMessage[]} messages the whole conversation, oldest first
   * @param {boolean} [continueLast] the last message is the beginning of the answer
   * @returns {readonly number[]} the prompt, up to where the assistant's answer begins or goes on
   */
  encode(messages, continueLast = false) {
    const key = JSON.stringify([messages, continueLast]);
    if (this.#last.key !== key) {
      this.#last = { key, ids: continueLast ? this.#encodeBegun(messages) : this.#encode(messages) };
    }
    return this.#last.ids;
  }

  /** @param {string} answer @returns {number[]} after the prompt that asks for it; without what ends it */
  answer(answer) {
    return this.plain.encode(answer, false);
  }

  /** As it was when the answer began, then the answer: what a template does to finished answers is not done to it. */
  #encodeBegun(/** @type {readonly WireMessage[]} */ messages) {
    const begun = messages[messages.length - 1];
    return [...this.#encode(messages.slice(0, -1)), ...this.answer(begun.content)];
  }

  /** @param {readonly WireMessage[]} messages */
  #encode(messages) {
    const typed = new Set(messages.flatMap(({ content }) => content.match(this.pattern) ?? []));
    if (typed.size === 0) {
      return this.tokenizer.apply_chat_template([...messages], {
        add_generation_prompt: true, return_tensor: false, return_dict: false,
      });
    }
    const hidden = new Disguise([...typed], messages.map(({ content }) => content).join(""));
    const rendered = this.tokenizer.apply_chat_template(
      messages.map((message) => ({ ...message, content: hidden.put(message.content) })),
      { add_generation_prompt: true, tokenize: false },
    );
    return this.split(rendered, (text) => hidden.take(text));
  }

  /**
   * @param {string} rendered a chat; every control string in it is a control token
   * @param {(text: string) => string} reveal puts back what was hidden
   * @returns {number[]}
   */
  split(rendered, reveal) {
    /** @type {number[]} */
    const ids = [];
    const parts = rendered.split(new RegExp(`(${this.pattern.source})`, "g")).filter((part) => part !== "");
    parts.forEach((part, i) => {
      const token = this.control.get(part);
      if (token) {
        ids.push(token.id);
        return;
      }
      let text = part;
      if (this.control.get(parts[i - 1])?.rstrip) text = text.trimStart();
      if (this.control.get(parts[i + 1])?.lstrip) text = text.trimEnd();
      for (const id of this.plain.encode(reveal(text), i === 0)) ids.push(id);
    });
    return ids;
  }
}

/** Text to ids by the model's vocabulary, without its control tokens. */
class PlainText {
  /**
   * @param {Tokenizer} tokenizer
   * @param {ReadonlyMap<string, AddedToken>} control by content
   */
  constructor(tokenizer, control) {
    const json = /** @type {{ added_tokens?: AddedToken[] }} */ (tokenizer._tokenizerJSON);
    const added = json.added_tokens ?? [];
    // Some tokenizers treat the beginning of a text unlike its middle (SentencePiece puts a space before it). A token of
    // our own before a piece from the middle tells them; its content is random, so no text contains it.
    this.boundary = `\uE000${crypto.randomUUID()}\uE000`;
    const boundary = {
      id: Math.max(-1, ...added.map(({ id }) => id), tokenizer.get_vocab().size - 1) + 1,
      content: this.boundary, special: true, normalized: false, lstrip: false, rstrip: false, single_word: false,
    };
    const Same = /** @type {new (json: object, config: object) => Tokenizer} */ (tokenizer.constructor);
    this.tokenizer = new Same(
      { ...json, added_tokens: [...added.filter(({ content }) => !control.has(content)), boundary] },
      tokenizer.config,
    );
    this.control = new Map([...control.values()].map(({ id, content }) => [id, content]));
    this.control.delete(Number(tokenizer.unk_token_id ?? -1)); // "unknown" is what some text honestly is
  }

  /**
   * @param {string} text
   * @param {boolean} first it begins the whole text
   * @returns {number[]}
   */
  encode(text, first) {
    if (text === "") return [];
    const ids = this.tokenizer.encode(first ? text : this.boundary + text, { add_special_tokens: false });
    if (!first) ids.shift();
    // A vocabulary may reach a control token by merging ordinary ones; spelling it out cannot.
    return ids.some((id) => this.control.has(id)) ? ids.flatMap((id) => this.#spell(id)) : ids;
  }

  /** @param {number} id */
  #spell(id) {
    const content = this.control.get(id);
    return content === undefined ? [id] : [...content].flatMap((character) => this.encode(character, false));
  }
}

/** Replaces strings by a private-use character around their number, and puts them back. */
class Disguise {
  /**
   * @param {string[]} strings
   * @param {string} text what the private-use character must not occur in
   */
  constructor(strings, text) {
    this.strings = strings;
    this.pattern = anyOf(strings);
    const used = new Set(text.match(/[\uE000-\uF8FF]/g));
    let code = 0xe000;
    while (used.has(String.fromCharCode(code)) && code < 0xf8ff) code++;
    this.mark = String.fromCharCode(code);
  }

  /** @param {string} text */
  put(text) {
    return text.replace(this.pattern, (found) => `${this.mark}${this.strings.indexOf(found)}${this.mark}`);
  }

  /** @param {string} text */
  take(text) {
    return text.replace(new RegExp(`${this.mark}(\\d+)${this.mark}`, "g"), (_, number) => this.strings[number]);
  }
}

/**
 * @param {string[]} strings
 * @returns {RegExp} finds the longest of them at the earliest place, as tokenizers do; without any it finds nothing
 */
function anyOf(strings) {
  const longestFirst = [...strings].sort((a, b) => b.length - a.length);
  const escaped = longestFirst.map((string) => string.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  return new RegExp(escaped.join("|") || "(?!)", "g");
}
