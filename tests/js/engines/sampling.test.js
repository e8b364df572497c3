import assert from "node:assert/strict";
import { test } from "node:test";

import { argmax, createSampler, draw, keep, logSoftmax, penalise, rank, xoshiro128 } from "../../../site/engines/sampling.js";

/** @typedef {import("../../../site/protocol.d.ts").WireSampling} WireSampling */

/** @type {WireSampling} */
const GREEDY = { temperature: 0, top_k: 0, top_p: 1, min_p: 0, repetition_penalty: 1, seed: 1 };

const random = xoshiro128(20261121);

/** Scores like a model's, with ties, -Infinity and NaN now and then. @param {number} size */
function scoresOf(size) {
  return Float32Array.from({ length: size }, () => {
    const u = random();
    if (u < 0.01) return -Infinity;
    if (u < 0.02) return NaN;
    return Math.round((random() + random() + random() - 1.5) * 80) / 8;
  });
}

/** The obvious way: sort everything. @param {Float32Array} scores */
function sorted(scores) {
  return [...scores.keys()].filter((id) => scores[id] > -Infinity).sort((a, b) => scores[b] - scores[a] || a - b);
}

/** The three filters one after the other, as llama.cpp applies them. @param {Float32Array} scores @param {{top_k: number, top_p: number, min_p: number}} limits */
function keptByDefinition(scores, { top_k, top_p, min_p }) {
  let ids = sorted(scores);
  if (top_k > 0) ids = ids.slice(0, top_k);
  const weights = ids.map((id) => Math.exp(scores[id] - scores[ids[0]]));
  if (top_p < 1) {
    const total = weights.reduce((a, b) => a + b, 0);
    let sum = 0;
    let length = 0;
    while (length < ids.length && sum < top_p * total) sum += weights[length++];
    ids = ids.slice(0, Math.max(1, length));
  }
  return ids.filter((_, i) => i === 0 || weights[i] >= min_p);
}

test("rank gives the k best, best first, the lower id first among equals", () => {
  for (let i = 0; i < 300; i++) {
    const scores = scoresOf(1 + Math.floor(random() * 400));
    const k = 1 + Math.floor(random() * 60);
    const { ids, scores: ranked } = rank(scores, k);
    assert.deepEqual([...ids], sorted(scores).slice(0, k));
    assert.deepEqual([...ranked], [...ids].map((id) => scores[id]));
  }
});

test("keep equals the three filters applied one after the other", () => {
  for (let i = 0; i < 500; i++) {
    const scores = scoresOf(2 + Math.floor(random() * 3000));
    const limits = {
      top_k: random() < 0.5 ? 0 : 1 + Math.floor(random() * 100),
      top_p: random() < 0.3 ? 1 : random(),
      min_p: random() < 0.3 ? 0 : random() * 0.3,
    };
    assert.deepEqual([...keep(scores, limits).ids], keptByDefinition(scores, limits), JSON.stringify(limits));
  }
});

test("a flat distribution over a whole vocabulary is kept whole", () => {
  assert.equal(keep(new Float32Array(49152), { top_k: 0, top_p: 0.999999999, min_p: 0 }).ids.length, 49152);
  assert.equal(keep(new Float32Array(49152), { top_k: 0, top_p: 1, min_p: 0.5 }).ids.length, 49152);
});

test("at least one token is always kept", () => {
  for (const limits of [{ top_k: 1, top_p: 0, min_p: 1 }, { top_k: 0, top_p: 0, min_p: 1 }]) {
    assert.deepEqual([...keep(Float32Array.of(1, 3, 3, 2), limits).ids.slice(0, 1)], [1]);
  }
});

test("argmax is the highest score, the first of equals, never NaN", () => {
  for (let i = 0; i < 200; i++) {
    const scores = scoresOf(300);
    assert.equal(argmax(scores), sorted(scores)[0]);
  }
  assert.throws(() => argmax(Float32Array.of(NaN, -Infinity)), RangeError);
});

test("a repeated token is penalised once, whatever its sign", () => {
  const scores = Float32Array.of(2, -2, 0, 4);
  penalise(scores, new Set([0, 1, 2, 99]), 2);
  assert.deepEqual([...scores], [1, -4, 0, 4]);
});

test("temperature 0 is greedy, and the penalty sees prompt and answer", () => {
  const sample = createSampler({ ...GREEDY, repetition_penalty: 2 }, [3]);
  const scores = [1, 5, 4.5, 6];
  assert.equal(sample(Float32Array.from(scores)), 1); // 3 is in the prompt: 6 / 2
  assert.equal(sample(Float32Array.from(scores)), 2); // and now 1 is in the answer
  assert.equal(sample(Float32Array.from(scores)), 3); // 3 (6 / 2) beats 2.5 and 2.25
});

test("the same seed draws the same tokens, another seed others", () => {
  /** @param {number} seed */
  const run = (seed) => {
    const source = xoshiro128(5);
    const sample = createSampler({ ...GREEDY, temperature: 1, top_k: 40, top_p: 0.95, min_p: 0.01, seed }, []);
    return Array.from({ length: 100 }, () => sample(Float32Array.from({ length: 500 }, () => 4 * source())));
  };
  assert.deepEqual(run(7), run(7));
  assert.notDeepEqual(run(7), run(8));
  assert.notDeepEqual(run(0), run(1));
});

test("draws follow the probabilities at that temperature", () => {
  const ranked = { ids: Int32Array.of(10, 20, 30), scores: Float32Array.of(2, 1, 0) };
  const temperature = 0.7;
  const counts = new Map([[10, 0], [20, 0], [30, 0]]);
  const draws = 40000;
  for (let i = 0; i < draws; i++) {
    const id = draw(ranked, temperature, random());
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  const weights = [...ranked.scores].map((score) => Math.exp(score / temperature));
  const total = weights.reduce((a, b) => a + b, 0);
  ranked.ids.forEach((id, i) => {
    assert.ok(Math.abs((counts.get(id) ?? 0) / draws - weights[i] / total) < 0.015);
  });
  assert.equal(draw(ranked, temperature, 0), 10);
  assert.equal(draw(ranked, temperature, 1), 30); // rounding never leaves nothing
});

test("the generator is xoshiro128** over SplitMix32: reference values", () => {
  // Computed with the authors' C (xoshiro128starstar.c) from the state SplitMix32 makes of seed 42.
  const next = xoshiro128(42);
  const values = Array.from({ length: 4 }, () => next() * 2 ** 32);
  assert.deepEqual(values, REFERENCE);
  const many = Array.from({ length: 20000 }, xoshiro128(1));
  assert.ok(many.every((u) => u >= 0 && u < 1));
  assert.ok(Math.abs(many.reduce((a, b) => a + b, 0) / many.length - 0.5) < 0.01);
});

const REFERENCE = [2837322924, 544945897, 479756282, 3500138142];

test("40 of 49152 tokens are ranked in well under a token's time", () => {
  const scores = Float32Array.from({ length: 49152 }, () => random());
  const began = performance.now();
  for (let i = 0; i < 20; i++) keep(scores, { top_k: 40, top_p: 0.95, min_p: 0.05 });
  assert.ok((performance.now() - began) / 20 < 20);
});

test("the logarithm of a probability is that of the definition, however large the scores", () => {
  const scores = Float32Array.of(1, 2, -Infinity, 3, 0.5);
  const total = [1, 2, 3, 0.5].reduce((sum, score) => sum + Math.exp(score), 0);
  assert.ok(Math.abs(logSoftmax(scores, [1]) - Math.log(Math.exp(2) / total)) < 1e-12);
  assert.ok(Math.abs(logSoftmax(scores, new Set([0, 3])) - Math.log((Math.exp(1) + Math.exp(3)) / total)) < 1e-12);
  assert.ok(Math.abs(logSoftmax(scores.map((score) => score + 800), [1]) - logSoftmax(scores, [1])) < 1e-6);
  assert.ok(Math.abs(logSoftmax(scores, [0, 1, 2, 3, 4, 99])) < 1e-12);
  assert.equal(logSoftmax(scores, [2]), -Infinity);
});
