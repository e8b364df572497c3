/**
 * Holds an answer to a grammar, token by token: which tokens may come next, and which of them still leave room to end.
 *
 * The grammar is a pushdown automaton over bytes, for tokens may begin and end within a character. A `Frame` is a place in
 * the grammar with what comes after it, a `State` all the places an answer may have reached. Both are made once each, so
 * that walking the sorted vocabulary costs a table look-up per byte, and places that differ only in counts no token can
 * exhaust share one mask. Within a text most tokens are let through by their lengths. (web-xgrammar 0.1.27 compiles a
 * mask for each count: minutes for a text of at most 2000 characters.)
 *
 * Whoever tells how many tokens are left gets an answer that ends: a token after which the shortest end takes more than
 * what is left is not let through. The shortest end is an upper bound, so it can be kept: strings are spelled by
 * the longest tokens inside them, everything else by single ones.
 *
 * @typedef {import("./ebnf.js").Node} Node
 * @typedef {import("./ebnf.js").Ranges} Ranges
 * @typedef {import("./vocabulary.js").Vocabulary} Vocabulary
 * @typedef {{ id: number, cost: number, size: number } & (
 *   | { kind: "end" }
 *   | { kind: "text", bytes: Uint8Array, costs: number[] }
 *   | { kind: "char", ranges: Ranges, ascii: Uint8Array, rests: Place[] }
 *   | { kind: "rest", ranges: Ranges, least: number }
 *   | { kind: "seq", parts: Place[] }
 *   | { kind: "alt", options: Place[] }
 *   | { kind: "repeat", node: Place, least: number, most: number }
 *   | { kind: "rule", node: Place }
 * )} Place of the grammar; `cost`: tokens it takes at least, or a few more; `size`: bytes it takes at least
 */

import { parse } from "./ebnf.js";

const UTF8 = new TextEncoder();
const MOST_FRAMES = 50_000; // kept from one answer to the next
const MOST_EXPANDED = 20_000; // places that are reached without a byte: more is a grammar that reads nothing for ever
const SURROGATES = [0xd800, 0xdfff];
const ANY = 0x200000; // the beginning of a code point, where whatever it becomes is let through
const LEAST_OF_LENGTH = [0, 0, 0x80, 0x800, 0x10000];

/** A place with what comes after it. Compared by identity. */
class Frame {
  /** @type {State | null} what reads a byte next, from here alone */
  state = null;

  /**
   * @param {number} id
   * @param {Place} place
   * @param {number} count how far in it: bytes of a text, parts of a sequence, repetitions; the code point so far of a rest
   * @param {Frame | null} next
   * @param {number} cost tokens to the end of the answer, about
   * @param {number} shape the same for all frames whose difference no single token can tell
   */
  constructor(id, place, count, next, cost, shape) {
    this.id = id;
    this.place = place;
    this.count = count;
    this.next = next;
    this.cost = cost;
    this.shape = shape;
  }
}

class State {
  /** @type {(State | null | undefined)[] | null} by byte */
  steps = null;
  /** @type {Mask | null} */
  mask = null;

  /** @param {Frame[]} frames each reads a byte next @param {boolean} ends the answer may end here */
  constructor(frames, ends) {
    this.frames = frames;
    this.ends = ends;
    this.cost = ends ? 0 : frames.reduce((least, frame) => Math.min(least, frame.cost), Infinity);
  }
}

/**
 * @typedef {object} Mask
 * @property {Uint32Array} bits by id
 * @property {number} farthest how much farther than now the end may be after one of these tokens
 */

/** A grammar for one vocabulary. */
export class Grammar {
  /** @type {Place[]} */
  #places = [];
  /** @type {Map<string, Frame>} */
  #frames = new Map();
  /** @type {Map<string, number>} */
  #shapes = new Map();
  /** @type {Map<string, State>} */
  #states = new Map();
  /** @type {Map<string, Mask>} by shapes */
  #masks = new Map();

  /**
   * @param {string} source
   * @param {Vocabulary} vocabulary
   * @throws {SyntaxError} also where no answer ends
   */
  constructor(source, vocabulary) {
    this.vocabulary = vocabulary;
    const rules = parse(source);
    /** @type {Map<string, Place & { kind: "rule" }>} */
    const named = new Map();
    for (const name of rules.keys()) named.set(name, /** @type {any} */ (this.#place({ kind: "rule", node: null })));
    for (const [name, node] of rules) /** @type {any} */ (named.get(name)).node = this.#made(node, named);
    while (this.#places.filter((place) => this.#settle(place)).length > 0);
    const root = /** @type {Place} */ (named.get("root"));
    if (root.cost === Infinity) throw new SyntaxError("no answer ends");
    const end = this.#place({ kind: "end", cost: 0, size: 0 });
    this.start = this.#reached([this.#frame(root, 0, new Frame(-1, end, 0, null, 0, -1))]);
  }

  /** Few enough states to be kept. */
  get isSmall() {
    return this.#frames.size < MOST_FRAMES;
  }

  /** @param {any} place without its id, and without what is settled later @returns {Place} */
  #place(place) {
    const made = { cost: Infinity, size: Infinity, ...place };
    made.id = this.#places.push(made) - 1;
    return made;
  }

  /** @param {Node} node @param {ReadonlyMap<string, Place>} named @returns {Place} */
  #made(node, named) {
    const made = (/** @type {Node} */ part) => this.#made(part, named);
    switch (node.kind) {
      case "rule": return /** @type {Place} */ (named.get(node.name));
      case "seq": return this.#place({ kind: "seq", parts: node.parts.map(made) });
      case "alt": return this.#place({ kind: "alt", options: node.options.map(made) });
      case "repeat": return this.#place({ kind: "repeat", node: made(node.node), least: node.least, most: node.most });
      case "char": return this.#character(node.ranges);
      case "text": {
        const bytes = UTF8.encode(node.text);
        const costs = this.vocabulary.costs(bytes);
        return this.#place({ kind: "text", bytes, costs, cost: costs[0], size: bytes.length });
      }
    }
  }

  /** @param {Ranges} given @returns {Place} */
  #character(given) {
    const [low, high] = SURROGATES; // UTF-8 has none of them
    const ranges = given.flatMap(([from, to]) => [[from, Math.min(to, low - 1)], [Math.max(from, high + 1), to]]).filter(([from, to]) => from <= to);
    const ascii = Uint8Array.from({ length: 128 }, (_, byte) => Number(includes(/** @type {Ranges} */ (ranges), byte, byte)));
    const rests = LEAST_OF_LENGTH.map((least) => this.#place({ kind: "rest", ranges, least, cost: 0, size: 0 }));
    const lengths = ranges.map(([from]) => UTF8.encode(String.fromCodePoint(from)).length);
    const size = Math.min(...lengths);
    return this.#place({ kind: "char", ranges, ascii, rests, cost: size, size });
  }

  /** @param {Place} place @returns {boolean} it takes less than was known */
  #settle(place) {
    const before = place.cost + place.size;
    for (const what of /** @type {const} */ (["cost", "size"])) {
      if (place.kind === "rule") place[what] = place.node[what];
      if (place.kind === "seq") place[what] = place.parts.reduce((sum, part) => sum + part[what], 0);
      if (place.kind === "alt") place[what] = place.options.reduce((least, option) => Math.min(least, option[what]), Infinity);
      if (place.kind === "repeat") place[what] = place.least === 0 ? 0 : place.least * place.node[what];
    }
    return place.cost + place.size < before;
  }

  // ---- frames ----

  /** @param {Place} place @param {number} count @param {Frame} next @returns {Frame} */
  #frame(place, count, next) {
    const key = `${place.id} ${count} ${next.id}`;
    let frame = this.#frames.get(key);
    if (!frame) {
      const cost = left(place, count) + next.cost;
      frame = new Frame(this.#frames.size, place, count, next, cost, this.#shape(place, count, next));
      this.#frames.set(key, frame);
    }
    return frame;
  }

  /** @param {Place} place @param {number} count @param {Frame} next @returns {number} */
  #shape(place, count, next) {
    let where = String(count);
    if (place.kind === "repeat") {
      const longest = Math.ceil(this.vocabulary.longest / Math.max(1, place.node.size)) + 1; // repetitions in a token
      where = `${Math.min(Math.max(0, place.least - count), longest)}-${Math.min(place.most - count, longest)}`;
    }
    const key = `${place.id} ${where} ${next.shape}`;
    let shape = this.#shapes.get(key);
    if (shape === undefined) this.#shapes.set(key, (shape = this.#shapes.size));
    return shape;
  }

  /** @param {Frame[]} frames @returns {State} what reads a byte next, from there */
  #reached(frames) {
    /** @type {Set<Frame>} */
    const seen = new Set();
    /** @type {Frame[]} */
    const reading = [];
    let ends = false;
    const waiting = [...frames];
    for (let frame = waiting.pop(); frame; frame = waiting.pop()) {
      if (seen.has(frame)) continue;
      seen.add(frame);
      if (seen.size > MOST_EXPANDED) throw new RangeError("the grammar has too many ways to go on");
      if (frame.place.kind === "end") ends = true;
      else if (reads(frame.place)) reading.push(frame);
      else waiting.push(...this.#inside(frame.place, frame.count, /** @type {Frame} */ (frame.next)));
    }
    reading.sort((a, b) => a.id - b.id);
    const key = `${ends} ${reading.map(({ id }) => id)}`;
    let state = this.#states.get(key);
    if (!state) this.#states.set(key, (state = new State(reading, ends)));
    return state;
  }

  /** @param {Place} place that reads nothing itself @param {number} count @param {Frame} next @returns {Frame[]} */
  #inside(place, count, next) {
    switch (place.kind) {
      case "rule": return [this.#frame(place.node, 0, next)];
      case "alt": return place.options.map((option) => this.#frame(option, 0, next));
      case "repeat": {
        const more = place.most === Infinity ? Math.min(count + 1, place.least) : count + 1;
        return [
          ...(count < place.most ? [this.#frame(place.node, 0, this.#frame(place, more, next))] : []),
          ...(count >= place.least ? [next] : []),
        ];
      }
      case "seq": {
        if (count === place.parts.length) return [next];
        const after = count + 1 === place.parts.length ? next : this.#frame(place, count + 1, next);
        return [this.#frame(place.parts[count], 0, after)];
      }
      default: return [next]; // an empty text
    }
  }

  /** @param {Frame} frame that reads @param {number} byte @returns {Frame | null} */
  #after({ place, count, next }, byte) {
    const after = /** @type {Frame} */ (next);
    if (place.kind === "text") {
      if (place.bytes[count] !== byte) return null;
      return count + 1 === place.bytes.length ? after : this.#frame(place, count + 1, after);
    }
    if (place.kind === "char") {
      if (byte < 0x80) return place.ascii[byte] ? after : null;
      const length = byte < 0xc2 || byte > 0xf4 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
      return length === 0 ? null : this.#rest(place.rests[length], byte & (0x7f >> length), length - 1, after);
    }
    if (place.kind !== "rest" || byte >> 6 !== 2) return null;
    const value = count >> 2;
    return this.#rest(place, value === ANY ? ANY : (value << 6) | (byte & 0x3f), (count & 3) - 1, after);
  }

  /** @param {Place} place @param {number} value the code point so far @param {number} left bytes to come @param {Frame} next @returns {Frame | null} */
  #rest(place, value, left, next) {
    if (place.kind !== "rest") return null;
    const low = value << (6 * left);
    const high = low + (1 << (6 * left)) - 1;
    if (value !== ANY && (high < place.least || !includes(place.ranges, Math.max(low, place.least), high))) return null;
    if (left === 0) return next;
    const sure = value === ANY || (low >= place.least && place.ranges.some(([from, to]) => from <= low && high <= to));
    return this.#frame(place, ((sure ? ANY : value) << 2) | left, next);
  }

  // ---- states ----

  /** @param {State} state @param {number} byte @returns {State | null} */
  step(state, byte) {
    /** @type {Frame | null} */
    let one = null;
    /** @type {Frame[] | null} */
    let several = null;
    for (const frame of state.frames) {
      const after = this.#after(frame, byte);
      if (!after) continue;
      if (one) (several ??= [one]).push(after);
      else one = after;
    }
    if (several) return this.#reached(several);
    return one && (one.state ??= this.#reached([one]));
  }

  /** The same, remembered. @param {State} state @param {number} byte @returns {State | null} */
  #known(state, byte) {
    const steps = (state.steps ??= new Array(256));
    return (steps[byte] ??= this.step(state, byte));
  }

  /**
   * @param {State} state
   * @param {Vocabulary["all"]} order
   * @param {(id: number, after: State) => void} visit each token of them that may come next
   */
  #walk(state, { ids, common, first }, visit) {
    const { tokens } = this.vocabulary;
    const path = [state];
    for (let byte = 0; byte < 256; byte++) {
      if (first[byte] === first[byte + 1] || !this.#known(state, byte)) continue;
      let dead = 0; // that many bytes of the token before are more than can be read; 0: all of it was read
      for (let i = first[byte]; i < first[byte + 1]; i++) {
        let depth = common[i];
        if (dead > 0 && depth >= dead) continue;
        const bytes = /** @type {Uint8Array} */ (tokens[ids[i]]);
        dead = 0;
        while (depth < bytes.length) {
          const next = this.#known(path[depth], bytes[depth]);
          depth++;
          if (!next) {
            dead = depth;
            break;
          }
          path[depth] = next;
        }
        if (dead === 0) visit(ids[i], path[depth]);
      }
    }
  }

  /**
   * The state of a text that goes on with characters of one class, if it is one: nothing else there reads these. Then
   * tokens of such characters only need not be walked through; most tokens are of this kind.
   *
   * @param {State} state
   * @returns {{ ascii: Uint8Array, left: number, isShort: boolean } | null} how many characters may come, and whether
   *   some must
   */
  #run(state) {
    for (const { place, next } of state.frames) {
      const repeat = next?.place;
      const after = next?.next;
      if (place.kind !== "char" || repeat?.kind !== "repeat" || !after) continue;
      const count = [next.count - 1, next.count].find((count) => this.#reached([this.#frame(repeat, count, after)]) === state);
      if (count === undefined) continue;
      const goesOn = (/** @type {Frame} */ frame) => frame.place === place && frame.next?.place === repeat && frame.next.next === after;
      const around = [...state.frames, ...this.#reached([next]).frames, ...this.#reached([after]).frames];
      if (around.some((frame) => !goesOn(frame) && mayRead(frame, place.ascii))) continue;
      return { ascii: place.ascii, left: repeat.most - count, isShort: count < repeat.least };
    }
    return null;
  }

  /** @param {State} state @param {number} left tokens that may come after the next @returns {Uint32Array} */
  bits(state, left) {
    const { bits, farthest } = this.#mask(state);
    const canEnd = state.cost <= left; // with the token that ends the answer
    if (!canEnd || state.cost + farthest + 1 <= left) return bits;
    return this.#found(state, (after) => after.cost + 1 <= left, ({ isShort }) => isShort || state.cost + 1 <= left);
  }

  /** @param {State} state @returns {Mask} */
  #mask(state) {
    if (state.mask) return state.mask;
    const key = `${state.ends} ${[...new Set(state.frames.map(({ shape }) => shape))].sort()}`;
    let mask = this.#masks.get(key);
    if (!mask) {
      let farthest = 0;
      const every = (/** @type {State} */ after) => {
        farthest = Math.max(farthest, after.cost - state.cost);
        return true;
      };
      const bits = this.#found(state, every, () => true);
      this.#masks.set(key, (mask = { bits, farthest }));
    }
    state.mask = mask;
    return mask;
  }

  /**
   * @param {State} state
   * @param {(after: State) => boolean} isWanted a token after which it is there
   * @param {(run: { isShort: boolean }) => boolean} isRunWanted all tokens that only go on with a run
   * @returns {Uint32Array} bits of the tokens that may come
   */
  #found(state, isWanted, isRunWanted) {
    const bits = this.#ending(state);
    const run = this.#run(state);
    const { others, upTo } = run ? this.vocabulary.parted(run.ascii) : { others: this.vocabulary.all, upTo: [] };
    if (run && isRunWanted(run)) {
      const some = upTo[Math.min(run.left, upTo.length - 1)];
      for (let word = 0; word < bits.length; word++) bits[word] |= some[word];
    }
    this.#walk(state, others, (id, after) => {
      if (isWanted(after)) bits[id >> 5] |= 1 << (id & 31);
    });
    return bits;
  }

  /** @param {State} state @returns {Uint32Array} of ids: those that end the answer, where it may end */
  #ending({ ends }) {
    const bits = new Uint32Array(this.vocabulary.words);
    if (ends) for (const id of this.vocabulary.ends) bits[id >> 5] |= 1 << (id & 31);
    return bits;
  }
}

/** One answer that is held to a grammar. */
export class Constraint {
  /** @type {Uint32Array} */
  #bits = new Uint32Array();

  /** @param {Grammar} grammar */
  constructor(grammar) {
    this.grammar = grammar;
    this.state = grammar.start;
  }

  /** What may come next; while the model runs this costs nothing. @param {number} left tokens that may come after that */
  prepare(left) {
    this.#bits = this.grammar.bits(this.state, left);
  }

  /** @param {Float32Array} scores of the step it is prepared for; -Infinity for what may not come */
  apply(scores) {
    const bits = this.#bits;
    for (let id = 0; id < scores.length; id += 32) {
      const word = bits[id >> 5] ?? 0;
      if (word === 0) scores.fill(-Infinity, id, id + 32);
      else if (word !== 0xffffffff) {
        for (let i = 0; i < 32 && id + i < scores.length; i++) if (!((word >>> i) & 1)) scores[id + i] = -Infinity;
      }
    }
  }

  /** @param {number} id a token that was let through */
  accept(id) {
    this.read(this.grammar.vocabulary.tokens[id] ?? []);
  }

  /** @param {Iterable<number>} bytes @throws {RangeError} where they are not what may come */
  read(bytes) {
    for (const byte of bytes) {
      const next = this.grammar.step(this.state, byte);
      if (!next) throw new RangeError("that is not in the grammar");
      this.state = next;
    }
  }
}

/** @param {Place} place */
function reads({ kind, ...place }) {
  return kind === "char" || kind === "rest" || (kind === "text" && /** @type {any} */ (place).bytes.length > 0);
}

/** @param {Frame} frame @param {Uint8Array} ascii @returns {boolean} one of these may come there */
function mayRead({ place, count }, ascii) {
  if (place.kind === "text") return ascii[place.bytes[count]] === 1;
  return place.kind === "char" && place.ascii.some((is, byte) => is === 1 && ascii[byte] === 1);
}

/** @param {Place} place @param {number} count @returns {number} tokens to its end */
function left(place, count) {
  switch (place.kind) {
    case "text": return place.costs[count];
    case "rest": return count & 3;
    case "seq": return place.parts.slice(count).reduce((sum, part) => sum + part.cost, 0);
    case "repeat": return count >= place.least ? 0 : (place.least - count) * place.node.cost;
    default: return place.cost;
  }
}

/** @param {Ranges} ranges @param {number} low @param {number} high @returns {boolean} one between them is in it */
function includes(ranges, low, high) {
  return ranges.some(([from, to]) => from <= high && low <= to);
}
