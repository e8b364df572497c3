/**
 * Reads grammars in the notation of llama.cpp's GBNF, as far as pyapp writes them: rules, strings, classes of characters,
 * groups, alternatives, and `*`, `+`, `?`, `{2}`, `{2,}`, `{2,5}` behind any of them.
 *
 * @typedef {[number, number][]} Ranges of code points, both ends in it; sorted
 * @typedef {{ kind: "text", text: string }
 *   | { kind: "char", ranges: Ranges }
 *   | { kind: "seq", parts: Node[] }
 *   | { kind: "alt", options: Node[] }
 *   | { kind: "repeat", node: Node, least: number, most: number }
 *   | { kind: "rule", name: string }} Node
 */

const LAST = 0x10ffff;
const TOKEN = /\s+|#[^\n]*|::=|[A-Za-z_][\w-]*|"(?:[^"\\]|\\[^])*"|\[(?:[^\]\\]|\\[^])*\]|\{\d+(?:,\d*)?\}|[()|*+?]/uy;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))|([^])/gu;
const NAMED = /** @type {Record<string, string>} */ ({ n: "\n", r: "\r", t: "\t" });

/**
 * @param {string} source
 * @returns {Map<string, Node>} the rules by name; one of them is "root"
 * @throws {SyntaxError}
 */
export function parse(source) {
  const tokens = tokenize(source);
  /** @type {Map<string, Node>} */
  const rules = new Map();
  while (tokens.length > 0) {
    const name = /** @type {string} */ (tokens.shift());
    if (tokens.shift() !== "::=") throw new SyntaxError("a rule has no ::=");
    rules.set(name, alternatives(tokens));
  }
  for (const [, node] of rules) check(node, rules);
  if (!rules.has("root")) throw new SyntaxError("there is no root");
  return rules;
}

/** @param {string} source */
function tokenize(source) {
  /** @type {string[]} */
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < source.length) {
    const at = TOKEN.lastIndex;
    const [token] = TOKEN.exec(source) ?? [];
    if (token === undefined) throw new SyntaxError(`the grammar is not understood at ${at}`);
    if (!/^[\s#]/u.test(token)) tokens.push(token);
  }
  return tokens;
}

/** @param {string[]} tokens what is read is taken away @returns {Node} */
function alternatives(tokens) {
  const options = [sequence(tokens)];
  while (tokens[0] === "|") {
    tokens.shift();
    options.push(sequence(tokens));
  }
  return options.length === 1 ? options[0] : { kind: "alt", options };
}

/** @param {string[]} tokens @returns {Node} */
function sequence(tokens) {
  /** @type {Node[]} */
  const parts = [];
  while (tokens.length > 0 && tokens[0] !== "|" && tokens[0] !== ")" && tokens[1] !== "::=") {
    parts.push(repeated(single(tokens), tokens));
  }
  return parts.length === 1 ? parts[0] : { kind: "seq", parts };
}

/** @param {string[]} tokens @returns {Node} */
function single(tokens) {
  const token = /** @type {string} */ (tokens.shift());
  if (token === "(") {
    const inside = alternatives(tokens);
    if (tokens.shift() !== ")") throw new SyntaxError("a group does not end");
    return inside;
  }
  if (token[0] === '"') return { kind: "text", text: characters(token.slice(1, -1)).join("") };
  if (token[0] === "[") return { kind: "char", ranges: ranges(token.slice(1, -1)) };
  if (/^[\w]/u.test(token)) return { kind: "rule", name: token };
  throw new SyntaxError(`${token} is out of place`);
}

/** @param {Node} node @param {string[]} tokens @returns {Node} */
function repeated(node, tokens) {
  const counts = { "*": [0, Infinity], "+": [1, Infinity], "?": [0, 1] };
  while (tokens.length > 0) {
    const [least, most] = counts[/** @type {"*"} */ (tokens[0])] ?? braces(tokens[0]) ?? [];
    if (least === undefined) break;
    tokens.shift();
    node = { kind: "repeat", node, least, most };
  }
  return node;
}

/** @param {string} token @returns {[number, number] | null} */
function braces(token) {
  const found = /^\{(\d+)(,?)(\d*)\}$/.exec(token);
  if (!found) return null;
  const [, least, comma, most] = found;
  return [Number(least), most ? Number(most) : comma ? Infinity : Number(least)];
}

/** @param {string} body of a string or a class @returns {string[]} its characters; an escaped one is never a "-" or "^" of a class */
function characters(body) {
  return [...body.matchAll(ESCAPE)].map(([, x, u, U, escaped, plain]) => {
    if (plain !== undefined) return plain;
    if (escaped !== undefined) return NAMED[escaped] ?? escaped;
    return String.fromCodePoint(parseInt(x ?? u ?? U, 16));
  });
}

/** @param {string} body @returns {Ranges} */
function ranges(body) {
  const negated = body[0] === "^";
  const inside = negated ? body.slice(1) : body;
  const spelled = [...inside.matchAll(ESCAPE)].map(([token]) => token);
  const points = characters(inside).map((character) => /** @type {number} */ (character.codePointAt(0)));
  /** @type {Ranges} */
  const found = [];
  for (let i = 0; i < points.length; i++) {
    const isRange = spelled[i + 1] === "-" && i + 2 < points.length;
    found.push([points[i], points[isRange ? i + 2 : i]]);
    if (isRange) i += 2;
  }
  return negated ? others(merged(found)) : merged(found);
}

/** @param {Ranges} found @returns {Ranges} */
function merged(found) {
  /** @type {Ranges} */
  const all = [];
  for (const [low, high] of found.sort((a, b) => a[0] - b[0])) {
    const last = all.at(-1);
    if (last && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else all.push([low, high]);
  }
  return all;
}

/** @param {Ranges} of @returns {Ranges} */
function others(of) {
  const starts = [0, ...of.map(([, high]) => high + 1)];
  const ends = [...of.map(([low]) => low - 1), LAST];
  return starts.map((low, i) => /** @type {[number, number]} */ ([low, ends[i]])).filter(([low, high]) => low <= high);
}

/** @param {Node} node @param {Map<string, Node>} rules */
function check(node, rules) {
  if (node.kind === "rule" && !rules.has(node.name)) throw new SyntaxError(`there is no rule ${node.name}`);
  if (node.kind === "repeat") check(node.node, rules);
  for (const part of node.kind === "seq" ? node.parts : node.kind === "alt" ? node.options : []) check(part, rules);
}
