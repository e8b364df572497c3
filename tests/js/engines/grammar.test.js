import assert from "node:assert/strict";
import { test } from "node:test";

import { ChatTokens } from "../../../site/engines/chat_tokens.js";
import { parse } from "../../../site/engines/ebnf.js";
import { Constraint, Grammar } from "../../../site/engines/grammar.js";
import { Grammars } from "../../../site/engines/grammars.js";
import { createSampler, xoshiro128 } from "../../../site/engines/sampling.js";
import { tokenBytes } from "../../../site/engines/token_bytes.js";
import { Vocabulary } from "../../../site/engines/vocabulary.js";
import { byteLevel, embeddedModel, sentencePiece, tokenizerOf } from "./tokenizers.js";

const RUNS = Number(process.env.GRAMMAR_RUNS ?? 25);
const random = xoshiro128(20261121);
const text = (/** @type {Iterable<number>} */ bytes) => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(bytes));

const CHARACTER = String.raw`[^"\\\u0000-\u001f\u007f] | "\\" ["\\/bfnrt]`;
const JSON_TEXT = String.raw`
root ::= value
value ::= object | array | string | number | "true" | "false" | "null"
object ::= "{" (string ": " value (", " string ": " value)*)? "}"
array ::= "[" (value (", " value)*)? "]"
string ::= "\"" (${CHARACTER})* "\""
number ::= "-"? ("0" | [1-9] [0-9]{0,5}) ("." [0-9]{1,4})?
`;

/** Bytes as tokens, a few longer ones, and the end. */
function small() {
  const words = ["tr", "true", "rue,", '": ', '"}', "ab", "abc", "é", "日"].map((word) => new TextEncoder().encode(word));
  const bytes = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
  return new Vocabulary([...bytes, ...words, null], [256 + words.length]);
}

/** What may come next. @param {Constraint} constraint @param {number} [left] */
function allowed(constraint, left = 1000) {
  const scores = new Float32Array(constraint.grammar.vocabulary.tokens.length);
  constraint.prepare(left);
  constraint.apply(scores);
  return [...scores.keys()].filter((id) => scores[id] === 0);
}

/**
 * The obvious way, for grammars without recursion: every text they have.
 * @param {import("../../../site/engines/ebnf.js").Node} node @param {Map<string, import("../../../site/engines/ebnf.js").Node>} rules @returns {string[]}
 */
function language(node, rules) {
  switch (node.kind) {
    case "text": return [node.text];
    case "char": return node.ranges.flatMap(([low, high]) => Array.from({ length: high - low + 1 }, (_, i) => String.fromCodePoint(low + i)));
    case "rule": return language(/** @type {any} */ (rules.get(node.name)), rules);
    case "alt": return node.options.flatMap((option) => language(option, rules));
    case "seq": return node.parts.reduce((all, part) => all.flatMap((a) => language(part, rules).map((b) => a + b)), [""]);
    case "repeat": {
      const once = language(node.node, rules);
      let all = [""];
      const found = node.least === 0 ? [""] : [];
      for (let count = 1; count <= node.most; count++) {
        all = all.flatMap((a) => once.map((b) => a + b));
        if (count >= node.least) found.push(...all);
      }
      return found;
    }
  }
}

const FINITE = [
  'root ::= "ab" | "abc" | "a" [b-d]',
  'root ::= ("ab" | "c"){1,3} "ab"?',
  'root ::= "\\"" [a-b\\u00e9\\u65e5-\\u65e6\\U0001F600]{0,2} "\\""',
  'root ::= x{2} ", " x? # the same twice\nx ::= "t" y | "" \ny ::= "rue" | "r" "ue"',
  'root ::= ("a"? "b"?){0,3}',
  'root ::= r{0,2} r{1,3} "\\""\nr ::= [a-b]',
  'root ::= "\\"" r{2,4} "\\""\nr ::= [a-c] | "\\\\" "t"',
  'root ::= ([a-b]{1,2} "\\""?){1,2}',
];

test("what may come is exactly what some text of the grammar goes on with", () => {
  const vocabulary = small();
  for (const source of FINITE) {
    const rules = parse(source);
    const texts = new Set(language(/** @type {any} */ (rules.get("root")), rules));
    const spelled = [...texts].map((each) => Buffer.from(each));
    const grammar = new Grammar(source, vocabulary);
    for (let run = 0; run < 40; run++) {
      const constraint = new Constraint(grammar);
      let said = Buffer.alloc(0);
      for (;;) {
        /** @param {Uint8Array} bytes @returns {boolean} */
        const begins = (bytes) => spelled.some((each) => each.subarray(0, bytes.length).equals(bytes));
        const expected = [...vocabulary.tokens.keys()].filter((id) => {
          const token = vocabulary.tokens[id];
          return token ? begins(Buffer.concat([said, token])) : texts.has(said.toString());
        });
        const now = allowed(constraint);
        assert.deepEqual(now, expected, `${source} after ${said}`);
        const id = now[Math.floor(random() * now.length)];
        if (vocabulary.ends.includes(id)) break;
        constraint.accept(id);
        said = Buffer.concat([said, /** @type {Uint8Array} */ (vocabulary.tokens[id])]);
      }
      assert.ok(texts.has(said.toString()));
    }
  }
});

test("no other byte is let through than characters are made of", () => {
  const vocabulary = small();
  const grammar = new Grammar("root ::= [\\u0000-\\U0010ffff]", vocabulary);
  for (const bytes of [[0xc0, 0x80], [0xe0, 0x80], [0xed, 0xa0], [0xf0, 0x80], [0xf4, 0x90], [0xf5], [0x80], [0xc3, 0x41]]) {
    assert.throws(() => new Constraint(grammar).read(bytes), RangeError, `${bytes}`);
  }
  for (const character of ["\0", "é", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\uffff", "\u{10000}", "\u{10ffff}"]) {
    const constraint = new Constraint(grammar);
    constraint.read(new TextEncoder().encode(character));
    assert.deepEqual(allowed(constraint), vocabulary.ends);
  }
});

test("an answer ends within the tokens it has, wherever it is", () => {
  const vocabulary = small();
  const grammar = new Grammar(`${JSON_TEXT.replace("root ::= value", 'root ::= "{\\"abc\\": [" value{2} "], \\"true\\": " number "}"').replaceAll("value{2}", "value \", \" value")}`, vocabulary);
  const { cost } = grammar.start;
  for (let most = cost + 1; most < cost + 30; most++) {
    const constraint = new Constraint(grammar);
    /** @type {number[]} */
    const said = [];
    for (let left = most - 1; ; left--) {
      assert.ok(left >= 0, `${most}`);
      const now = allowed(constraint, left);
      const id = now[Math.floor(random() * now.length)];
      if (vocabulary.ends.includes(id)) break;
      constraint.accept(id);
      said.push(.../** @type {Uint8Array} */ (vocabulary.tokens[id]));
    }
    JSON.parse(text(said));
  }
});

test("where it cannot end in time it is let go on", () => {
  const constraint = new Constraint(new Grammar('root ::= "abcabcabc"', small()));
  assert.deepEqual(allowed(constraint, 1).map((id) => text(/** @type {Uint8Array} */ (constraint.grammar.vocabulary.tokens[id]))), ["a", "ab", "abc"]);
});

test("what is no grammar is told", () => {
  const bad = ["", "root", "root ::= x", 'x ::= "a"', 'root ::= "a', 'root ::= ("a"', 'root ::= "a" )', "root ::= [a", 'root ::= * "a"', 'root ::= "a" root'];
  for (const source of bad) assert.throws(() => new Grammar(source, small()), SyntaxError, source);
});

for (const [name, tokenizer] of Object.entries({ byteLevel: byteLevel(), sentencePiece: sentencePiece() })) {
  test(`${name}: the bytes of tokens are what they decode to, and control tokens are none`, () => {
    const { control, plain } = new ChatTokens(tokenizer);
    const tokens = /** @type {(Uint8Array | null)[]} */ (tokenBytes(tokenizer, [...control.values()].map(({ id }) => id)));
    for (const content of ["ab<t> the: a", " ab aba 12", "ñ日👩‍👧\n", "   "]) {
      const spelled = plain.encode(content, false).map((id) => tokens[id] ?? Uint8Array.of(0));
      assert.equal(Buffer.concat(spelled).toString(), content);
    }
    for (const { id } of control.values()) assert.equal(tokens[id], null);
  });
}

test("a tokenizer of another kind is told", () => {
  assert.equal(tokenBytes(/** @type {any} */ ({ _tokenizerJSON: { decoder: { type: "WordPiece" } } }), []), null);
  const grammars = new Grammars(/** @type {any} */ ({ all_special_ids: [], _tokenizerJSON: { decoder: null } }), { control: new Map() });
  assert.throws(() => grammars.constraint('root ::= "a"', [], ""), { code: "invalid_request" });
});

test("an answer that has begun goes on, if it is of the grammar", () => {
  const tokenizer = byteLevel();
  const grammars = new Grammars(tokenizer, new ChatTokens(tokenizer));
  const { grammar, state } = grammars.constraint('root ::= "ab" "c"', [0], "ab");
  assert.equal(state, grammar.step(/** @type {any} */ (grammar.step(grammar.start, 97)), 98));
  assert.equal(grammars.constraint('root ::= "ab" "c"', [0], "").grammar, grammar);
  assert.throws(() => grammars.constraint('root ::= "ab" "c"', [0], "b"), { code: "invalid_request" });
});

test(`${RUNS} answers of random scores and any sampling are JSON, in the embedded model's tokens`, () => {
  const tokenizer = tokenizerOf(embeddedModel());
  const chat = new ChatTokens(tokenizer);
  const end = Number(tokenizer.eos_token_id);
  const grammars = new Grammars(tokenizer, chat);
  const noise = Float32Array.from({ length: 49152 + 16384 }, () => random() * 8);
  for (let run = 0; run < RUNS; run++) {
    const most = 2 + Math.floor(random() ** 2 * 200);
    const constraint = grammars.constraint(JSON_TEXT, [end], "");
    const choose = createSampler(
      {
        temperature: random() < 0.2 ? 0 : random() * 3, top_k: Math.floor(random() * 3) * 30, top_p: 1 - random() * 0.5,
        min_p: random() * 0.2, repetition_penalty: 1 + random(), seed: run,
      },
      [],
    );
    /** @type {number[]} */
    const ids = [];
    for (let left = most - 1, id = -1; id !== end; left--) {
      assert.ok(left >= 0, "it did not end in time");
      constraint.prepare(left);
      const scores = noise.slice(Math.floor(random() * 16384)).subarray(0, 49152);
      constraint.apply(scores);
      id = choose(scores);
      constraint.accept(id);
      ids.push(id);
    }
    JSON.parse(tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }));
  }
});
