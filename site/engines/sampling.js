/**
 * Choosing the next token from the scores of one step: pure, and the same on every machine for the same seed.
 *
 * The order is llama.cpp's (common/sampling.cpp): repetition penalty, top-k, top-p, min-p, temperature, draw. So top-p and
 * min-p look at the distribution before the temperature flattens it, and a hot temperature picks among good tokens only.
 *
 * @typedef {import("../protocol.d.ts").WireSampling} WireSampling
 * @typedef {{ ids: Int32Array, scores: Float32Array }} Ranked token ids with their scores, best first
 */

/**
 * @param {WireSampling} sampling temperature 0 is greedy; top_k 0, top_p 1 and min_p 0 keep all; repetition_penalty 1 is none
 * @param {Iterable<number>} promptIds the tokens of the prompt, which are penalised as the answer's are
 * @returns {(scores: Float32Array) => number} from one step's scores (before softmax, length vocab_size; overwritten) to
 *   the chosen token id, which counts as said from then on
 */
export function createSampler(sampling, promptIds) {
  const { temperature, repetition_penalty: penalty } = sampling;
  const said = new Set(promptIds);
  const random = xoshiro128(sampling.seed);
  return (scores) => {
    if (penalty !== 1) penalise(scores, said, penalty);
    const id = temperature > 0 ? draw(keep(scores, sampling), temperature, random()) : argmax(scores);
    said.add(id);
    return id;
  };
}

/**
 * Makes every token already said less likely, whatever its sign (Keskar et al., arXiv 1909.05858, section 4.1, as Hugging
 * Face's RepetitionPenaltyLogitsProcessor does it: once per distinct token).
 *
 * @param {Float32Array} scores changed in place
 * @param {Iterable<number>} ids
 * @param {number} penalty
 */
export function penalise(scores, ids, penalty) {
  for (const id of ids) {
    if (id < scores.length) scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
  }
}

/**
 * @param {Float32Array} scores
 * @returns {number} the id of the highest score; the lowest such id. NaN never wins.
 * @throws {RangeError} when no score is a number above -Infinity: the model's output is broken
 */
export function argmax(scores) {
  let best = -1;
  let highest = -Infinity;
  for (let id = 0; id < scores.length; id++) {
    const score = scores[id];
    if (score > highest) {
      highest = score;
      best = id;
    }
  }
  if (best < 0) throw new RangeError("the model gave no finite score");
  return best;
}

/**
 * The tokens that may be drawn, best first: those that top-k, top-p and min-p all keep, and always at least one.
 *
 * @param {Float32Array} scores
 * @param {Pick<WireSampling, "top_k" | "top_p" | "min_p">} limits
 * @returns {Ranked}
 */
export function keep(scores, { top_k, top_p, min_p }) {
  const highest = scores[argmax(scores)];
  const most = top_k > 0 ? Math.min(top_k, scores.length) : scores.length;
  // Each of the three keeps a head of the ranking, so ranking a head that reaches beyond the cut is enough: 49 000 tokens
  // are never sorted for the few that matter. Only top_k 0 has to guess how far, and look again when it guessed short.
  const guess = top_k > 0 || (top_p >= 1 && min_p <= 0) ? most : 256;
  for (let reach = Math.min(guess, most); ; reach = Math.min(reach * 8, most)) {
    const ranked = rank(scores, reach);
    const total = top_k > 0 ? mass(ranked.scores, highest) : mass(scores, highest);
    const length = cut(ranked.scores, total, top_p, min_p);
    if (length < reach || reach === most) {
      return { ids: ranked.ids.subarray(0, length), scores: ranked.scores.subarray(0, length) };
    }
  }
}

/**
 * How many of the best tokens top-p and min-p keep, at least 1.
 *
 * @param {Float32Array} ranked scores, best first
 * @param {number} total the mass of everything top-k kept
 * @param {number} topP the smallest head whose probabilities reach it (Holtzman et al., arXiv 1904.09751)
 * @param {number} minP no token less likely than this share of the likeliest (Nguyen et al., arXiv 2407.01082)
 */
function cut(ranked, total, topP, minP) {
  const highest = ranked[0];
  let sum = 0;
  for (let i = 0; i < ranked.length; i++) {
    const weight = Math.exp(ranked[i] - highest);
    if (i > 0 && weight < minP) return i;
    sum += weight;
    if (topP < 1 && sum >= topP * total) return i + 1;
  }
  return ranked.length;
}

/**
 * @param {Float32Array} scores
 * @param {number} highest
 * @returns {number} the sum of exp(score - highest)
 */
function mass(scores, highest) {
  let sum = 0;
  for (const score of scores) if (score > -Infinity) sum += Math.exp(score - highest);
  return sum;
}

/**
 * @param {Float32Array} scores before softmax
 * @param {Iterable<number>} ids
 * @returns {number} the natural logarithm of the probability that it is one of these
 */
export function logSoftmax(scores, ids) {
  const highest = scores[argmax(scores)];
  const these = Float32Array.from([...ids].filter((id) => id < scores.length), (id) => scores[id]);
  return Math.log(mass(these, highest)) - Math.log(mass(scores, highest));
}

/**
 * The `k` best tokens, best first, the lower id first among equals; NaN and -Infinity are left out.
 * A heap of k whose root is the worst kept, so nearly every token costs one comparison.
 *
 * @param {Float32Array} scores
 * @param {number} k at least 1
 * @returns {Ranked}
 */
export function rank(scores, k) {
  const heap = new Int32Array(k);
  let size = 0;
  /** @param {number} a @param {number} b @returns {boolean} is token a worse than token b */
  const worse = (a, b) => {
    const difference = scores[a] - scores[b];
    return difference < 0 || (difference === 0 && a > b);
  };
  /** @param {number} id */
  const rise = (id) => {
    let i = size++;
    for (let parent = (i - 1) >> 1; i > 0 && worse(id, heap[parent]); parent = (i - 1) >> 1) {
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = id;
  };
  /** @param {number} id */
  const sink = (id) => {
    let i = 0;
    for (let child = 1; child < size; child = 2 * i + 1) {
      if (child + 1 < size && worse(heap[child + 1], heap[child])) child++;
      if (!worse(heap[child], id)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = id;
  };
  for (let id = 0, floor = -Infinity; id < scores.length; id++) {
    if (!(scores[id] > floor)) continue; // an equal later id is worse, so > is enough
    if (size < k) rise(id);
    else sink(id);
    if (size === k) floor = scores[heap[0]];
  }
  const ids = heap.subarray(0, size).sort((a, b) => (worse(a, b) ? 1 : -1));
  return { ids, scores: Float32Array.from(ids, (id) => scores[id]) };
}

/**
 * @param {Ranked} ranked what may be drawn
 * @param {number} temperature above 0
 * @param {number} u uniform in [0, 1)
 * @returns {number} token id, drawn in proportion to exp(score / temperature)
 */
export function draw({ ids, scores }, temperature, u) {
  const highest = scores[0];
  const weights = Float64Array.from(scores, (score) => Math.exp((score - highest) / temperature));
  let left = u * weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < ids.length - 1; i++) {
    left -= weights[i];
    if (left < 0) return ids[i];
  }
  return ids[ids.length - 1];
}

/**
 * xoshiro128** 1.1 (Blackman and Vigna, arXiv 1805.01407; https://prng.di.unimi.it/xoshiro128starstar.c), its four words of
 * state filled from the seed by SplitMix32, as its authors advise for a seed that may be small or zero.
 *
 * @param {number} seed any integer; its low 32 bits count
 * @returns {() => number} uniform in [0, 1), 32 bits of it
 */
export function xoshiro128(seed) {
  let mixed = seed | 0;
  const splitmix = () => {
    mixed = (mixed + 0x9e3779b9) | 0;
    let z = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return z ^ (z >>> 16);
  };
  let a = splitmix();
  let b = splitmix();
  let c = splitmix();
  let d = splitmix();
  return () => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return (result >>> 0) / 2 ** 32;
  };
}

/** @param {number} x @param {number} bits */
function rotate(x, bits) {
  return (x << bits) | (x >>> (32 - bits));
}
