/**
 * One sequence of tokens in a model's KV cache: fed in chunks, cut back to a prefix that was compared token by token.
 *
 * Rules of this file: `#ids` is exactly what the cache stands for, after every await; nothing else writes the cache; when
 * a step fails the cache is dropped, since nobody knows what it holds.
 *
 * The cache is cut only where a pass through the model began. A token's keys and values differ in their last bits with
 * the tokens read in the same pass (other sums, other order), and greedy decoding turns last bits into other words. Cut
 * at passes, the same prompt asked again is read again in the same passes, and gives the same answer to the letter.
 *
 * @typedef {import("@huggingface/transformers").Tensor} Tensor
 * @typedef {import("@huggingface/transformers").PreTrainedModel} Model
 * @typedef {typeof import("@huggingface/transformers")} Library
 * @typedef {InstanceType<Library["DynamicCache"]>} Cache tensors by input name
 */

/**
 * Tokens read between two looks at the abort signal. The largest at which two cores of an ordinary machine stop well
 * within a second, and large enough that it costs prefill speed almost nothing.
 */
const CHUNK_TOKENS = 64;

export class Decoder {
  /** @type {number[]} */
  #ids = [];
  /** @type {number[]} where each pass began, ascending */
  #starts = [];
  /** @type {Cache | null} */
  #cache = null;

  /**
   * @param {Pick<Library, "Tensor" | "DynamicCache">} library
   * @param {Model} model
   * @param {() => Promise<void>} pause lets the worker see its messages
   */
  constructor(library, model, pause) {
    this.library = library;
    this.model = model;
    this.pause = pause;
    const { inputNames } = model.sessions.model;
    this.positions = inputNames.includes("position_ids");
    this.keepsLogits = inputNames.includes("num_logits_to_keep");
  }

  /**
   * Reads a prompt, of which at least the last token is really read, so that there are scores to go on from.
   *
   * @param {readonly number[]} ids the whole prompt, at least one token
   * @param {AbortSignal} signal
   * @returns {Promise<{ scores: Float32Array | null, cached: number }>} the last token's scores, length vocab_size, null
   *   when aborted (what was read stays in the cache); and how many tokens the cache already held
   */
  async prefill(ids, signal) {
    const cached = await this.#reuse(ids);
    let scores = null;
    for (let start = cached; start < ids.length; start += CHUNK_TOKENS) {
      await this.pause();
      if (signal.aborted) return { scores: null, cached };
      scores = await this.step(ids.slice(start, start + CHUNK_TOKENS));
    }
    return { scores, cached };
  }

  /**
   * Appends tokens.
   *
   * @param {readonly number[]} ids at least one
   * @returns {Promise<Float32Array>} the scores after the last of them, length vocab_size; the caller's to change
   */
  async step(ids) {
    const cache = this.#cache ?? new this.library.DynamicCache();
    const length = this.#ids.length;
    this.#cache = null; // until the model has answered, what the cache holds is not known
    const { logits, ...rest } = await this.model.forward(this.#inputs(ids, length, cache));
    cache.update(pastOf(rest));
    this.#cache = cache;
    this.#starts.push(length);
    this.#ids.push(...ids);
    return lastRow(logits);
  }

  /** Forgets everything and gives the GPU its memory back. */
  async drop() {
    const cache = this.#cache;
    this.#ids = [];
    this.#starts = [];
    this.#cache = null;
    await cache?.dispose();
  }

  /**
   * @param {readonly number[]} ids
   * @param {number} past tokens before them
   * @param {Cache} cache
   */
  #inputs(ids, past, cache) {
    const { Tensor } = this.library;
    const total = past + ids.length;
    /** @type {Record<string, Tensor | Cache>} */
    const inputs = {
      input_ids: new Tensor("int64", BigInt64Array.from(ids, BigInt), [1, ids.length]),
      attention_mask: new Tensor("int64", new BigInt64Array(total).fill(1n), [1, total]),
      past_key_values: cache,
    };
    if (this.positions) {
      // These count from 1 (transformers.js, decoder_forward).
      const first = past + (["paligemma", "gemma3", "gemma3_text"].includes(this.model.config.model_type ?? "") ? 1 : 0);
      const positions = BigInt64Array.from(ids, (_, i) => BigInt(first + i));
      inputs.position_ids = new Tensor("int64", positions, [1, ids.length]);
    }
    if (this.keepsLogits) inputs.num_logits_to_keep = new Tensor("int64", [1n], []);
    return inputs;
  }

  /**
   * Cuts the cache to whole passes that `ids` begins with.
   *
   * @param {readonly number[]} ids
   * @returns {Promise<number>} tokens that are left, fewer than `ids`
   */
  async #reuse(ids) {
    const common = Math.min(commonPrefix(this.#ids, ids), ids.length - 1);
    const length = [...this.#starts, this.#ids.length].findLast((start) => start <= common) ?? 0;
    const cache = this.#cache;
    if (cache && length > 0 && length === this.#ids.length) return length;
    if (!cache || length === 0 || !Object.keys(cache).every(croppable)) {
      await this.drop();
      return 0;
    }
    this.#cache = null; // until it is whole again
    await crop(cache, length, this.library.Tensor);
    this.#cache = cache;
    this.#ids.length = length;
    this.#starts = this.#starts.filter((start) => start < length);
    return length;
  }
}

/**
 * @param {readonly number[]} a
 * @param {readonly number[]} b
 * @returns {number} how many leading tokens they share
 */
export function commonPrefix(a, b) {
  const shorter = Math.min(a.length, b.length);
  let length = 0;
  while (length < shorter && a[length] === b[length]) length++;
  return length;
}

/**
 * A layer's keys and values have a place per token; the states of convolutions and recurrences are one for all tokens so
 * far and cannot be turned back.
 *
 * @param {string} name of a cache input
 */
function croppable(name) {
  return /^past_key_values\..*(key|value|key_value)$/.test(name);
}

/**
 * Cuts every tensor, shape (batch = 1, heads, tokens, head_dim), to its first `length` tokens. One on the GPU is read
 * back, cut and uploaded by the next step: a few megabytes once per edit.
 *
 * @param {Cache} cache
 * @param {number} length
 * @param {Library["Tensor"]} Tensor
 */
async function crop(cache, length, Tensor) {
  for (const [name, tensor] of Object.entries(cache)) {
    const dims = [...tensor.dims];
    const tokens = dims[dims.length - 2];
    const width = dims[dims.length - 1];
    const rows = tensor.size / (tokens * width);
    const whole = await read(tensor);
    const part = whole.slice(0, rows * length * width);
    for (let row = 1; row < rows; row++) {
      const from = row * tokens * width;
      part.set(whole.subarray(from, from + length * width), row * length * width);
    }
    dims[dims.length - 2] = length;
    cache.update({ [name]: new Tensor(tensor.type, part, dims) });
  }
}

/**
 * @param {Tensor} tensor
 * @returns {Promise<Float32Array>} its elements; a Uint16Array or Float16Array for half precision, which cuts the same
 */
async function read(tensor) {
  const data = tensor.location === "gpu-buffer" ? await tensor.ort_tensor.getData() : tensor.data;
  return /** @type {Float32Array} */ (data);
}

/**
 * The model's outputs under the names it takes them back by: present.0.key becomes past_key_values.0.key.
 *
 * @param {Record<string, Tensor>} outputs
 */
function pastOf(outputs) {
  return Object.fromEntries(
    Object.entries(outputs)
      .filter(([name]) => name.startsWith("present"))
      .map(([name, tensor]) => [name.replace(/^present_/, "past_").replace(/^present\b/, "past_key_values"), tensor]),
  );
}

/**
 * @param {Tensor} logits shape (1, tokens, vocab_size)
 * @returns {Float32Array} its last row
 */
function lastRow(logits) {
  const scores = /** @type {Float32Array} */ ((logits.type === "float32" ? logits : logits.to("float32")).data);
  const vocabSize = logits.dims[logits.dims.length - 1];
  return scores.length === vocabSize ? scores : scores.slice(scores.length - vocabSize);
}
