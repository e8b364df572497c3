import assert from "node:assert/strict";
import { test } from "node:test";

import { DynamicCache, Tensor } from "@huggingface/transformers";

import { commonPrefix, Decoder } from "../../../site/engines/decoder.js";
import { xoshiro128 } from "../../../site/engines/sampling.js";

const HEADS = 2;
const WIDTH = 3;
const VOCABULARY = 50;
const random = xoshiro128(17);
const never = new AbortController().signal;
const at_once = async () => {};

/**
 * A "model" that remembers tokens in its cache and nowhere else: scores depend on every token the cache and the input hold,
 * in their order, so whatever goes wrong with the cache shows.
 *
 * @param {{ inputs?: string[], outputs?: string[], type?: "float32" | "float16", fail?: () => boolean }} [options]
 */
function remembering({ inputs = [], outputs = [], type = "float32", fail = () => false } = {}) {
  const NAMES = ["past_key_values.0.key", "past_key_values.0.value"];
  /** @type {{ ids: number[], past: number, positions: number[] | null }[]} */
  const calls = [];
  const model = {
    calls,
    config: { model_type: "llama" },
    sessions: { model: { inputNames: ["input_ids", "attention_mask", ...NAMES, ...inputs] } },
    /** @param {any} given */
    forward: async (given) => {
      const ids = [...given.input_ids.data].map(Number);
      const [key, value] = NAMES.map((name) => given.past_key_values[name]);
      const past = key ? key.dims[2] : 0;
      const told = [];
      for (let token = 0; token < past; token++) {
        const seen = new Set();
        for (let head = 0; head < HEADS; head++) {
          for (let i = 0; i < WIDTH; i++) seen.add(Number(key.data[(head * past + token) * WIDTH + i]) - 100 * head - 1000 * i);
        }
        assert.equal(seen.size, 1, "a cache that is mixed up");
        told.push([...seen][0]);
      }
      assert.equal(value?.dims[2] ?? 0, past);
      assert.deepEqual(given.attention_mask.dims, [1, past + ids.length]);
      calls.push({ ids, past, positions: given.position_ids ? [...given.position_ids.data].map(Number) : null });
      if (fail()) throw new Error("failed");
      const all = [...told, ...ids];
      let hash = 7;
      for (const id of all) hash = (hash * 31 + id) % 100003;
      const cache = () => {
        const data = new (type === "float16" ? Uint16Array : Float32Array)(HEADS * all.length * WIDTH);
        all.forEach((id, token) => {
          for (let head = 0; head < HEADS; head++) {
            for (let i = 0; i < WIDTH; i++) data[(head * all.length + token) * WIDTH + i] = id + 100 * head + 1000 * i;
          }
        });
        return new Tensor(/** @type {"float32"} */ (type), data, [1, HEADS, all.length, WIDTH]);
      };
      const rows = 2; // as models do that give every position's scores: only the last row counts
      const logits = new Float32Array(rows * VOCABULARY);
      for (let i = 0; i < VOCABULARY; i++) logits[VOCABULARY + i] = ((hash + 1) * (i + 3)) % 1009;
      return {
        logits: new Tensor("float32", logits, [1, rows, VOCABULARY]),
        "present.0.key": cache(), "present.0.value": cache(),
        ...Object.fromEntries(outputs.map((name) => [name, new Tensor("float32", new Float32Array(4), [1, 2, 2])])),
      };
    },
  };
  return model;
}

/** @param {any} model @param {() => Promise<void>} [pause] */
const decoderOf = (model, pause = at_once) => new Decoder({ Tensor, DynamicCache }, model, pause);

/** @param {number} length */
const tokens = (length) => Array.from({ length }, () => Math.floor(random() * VOCABULARY));

/** The scores of a model that has nothing to reuse. @param {number[]} ids */
async function fresh(ids) {
  return (await decoderOf(remembering()).prefill(ids, never)).scores;
}

test("whatever was in the cache, the scores are those of reading it all anew", async () => {
  for (const type of /** @type {const} */ (["float32", "float16"])) {
    const decoder = decoderOf(remembering({ type, inputs: ["position_ids"] }));
    let ids = tokens(5);
    for (let i = 0; i < 60; i++) {
      const kept = Math.floor(random() * (ids.length + 1)); // an edit, a new turn, another chat
      ids = [...ids.slice(0, kept), ...tokens(1 + Math.floor(random() * 200))];
      const { scores, cached } = await decoder.prefill(ids, never);
      assert.ok(cached < ids.length);
      assert.deepEqual(scores, await fresh(ids));
      for (let step = 0; step < 3; step++) {
        const next = tokens(1);
        ids = [...ids, ...next];
        assert.deepEqual(await decoder.step(next), await fresh(ids));
      }
    }
  }
});

test("a longer conversation reads only what is new; any other is cut where a pass began", async () => {
  const model = remembering();
  const decoder = decoderOf(model);
  const ids = tokens(150);
  assert.equal((await decoder.prefill(ids, never)).cached, 0);
  assert.deepEqual(model.calls.map(({ ids, past }) => [ids.length, past]), [[64, 0], [64, 64], [22, 128]]);
  assert.equal((await decoder.prefill([...ids, 1, 2], never)).cached, 150);
  assert.deepEqual(model.calls.at(-1), { ids: [1, 2], past: 150, positions: null });
  assert.equal((await decoder.prefill([...ids, 1, 2], never)).cached, 150);
  assert.equal((await decoder.prefill(ids.slice(0, 100), never)).cached, 64);
  assert.equal((await decoder.prefill(ids.slice(0, 64), never)).cached, 0);
});

test("the same prompt again is read in the same passes, so that it gives the same bits", async () => {
  const model = remembering();
  const decoder = decoderOf(model);
  const turn = tokens(150);
  await decoder.prefill(turn, never);
  for (const id of [1, 2, 3]) await decoder.step([id]);
  const next = [...turn, 1, 2, 3, ...tokens(90)];
  model.calls.length = 0;
  await decoder.prefill(next, never);
  const last = model.calls.at(-1);
  for (let again = 0; again < 3; again++) {
    await decoder.step([5]);
    await decoder.prefill(next, never);
    assert.deepEqual(model.calls.at(-1), last);
  }
  assert.deepEqual(model.calls[0].past, 153);
});

test("an abort in a long prompt stops after the chunk, and what was read is kept", async () => {
  const model = remembering();
  const stop = new AbortController();
  const decoder = decoderOf(model, async () => { if (model.calls.length === 2) stop.abort(); });
  const ids = tokens(1000);
  assert.deepEqual(await decoder.prefill(ids, stop.signal), { scores: null, cached: 0 });
  assert.equal(model.calls.length, 2);
  const { scores, cached } = await decoder.prefill(ids, never);
  assert.equal(cached, 128);
  assert.deepEqual(scores, await fresh(ids));
});

test("an abort that came before reads nothing", async () => {
  const model = remembering();
  assert.equal((await decoderOf(model).prefill(tokens(3), AbortSignal.abort())).scores, null);
  assert.equal(model.calls.length, 0);
});

test("after a failed step nothing of the cache is used", async () => {
  let broken = false;
  const model = remembering({ fail: () => broken });
  const decoder = decoderOf(model);
  const ids = tokens(20);
  await decoder.prefill(ids, never);
  broken = true;
  await assert.rejects(decoder.step([1]), /failed/);
  broken = false;
  assert.equal((await decoder.prefill([...ids, 1], never)).cached, 0);
});

test("a state that cannot be turned back is reused whole or not at all", async () => {
  const decoder = decoderOf(remembering({ outputs: ["present_conv.0"] }));
  const ids = tokens(20);
  await decoder.prefill(ids, never);
  assert.equal((await decoder.prefill([...ids, 1], never)).cached, 20);
  assert.equal((await decoder.prefill([...ids, 2], never)).cached, 0);
});

test("positions go on where the cache ends", async () => {
  const model = remembering({ inputs: ["position_ids"] });
  const decoder = decoderOf(model);
  await decoder.prefill([1, 2, 3], never);
  await decoder.step([4]);
  assert.deepEqual(model.calls.map((call) => call.positions), [[0, 1, 2], [3]]);
});

test("dropping forgets", async () => {
  const decoder = decoderOf(remembering());
  await decoder.prefill([1, 2, 3], never);
  await decoder.drop();
  assert.equal((await decoder.prefill([1, 2, 3], never)).cached, 0);
});

test("the common prefix of two token lists", () => {
  assert.equal(commonPrefix([], [1]), 0);
  assert.equal(commonPrefix([1, 2, 3], [1, 2, 4]), 2);
  assert.equal(commonPrefix([1, 2], [1, 2, 3]), 2);
});
