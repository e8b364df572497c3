/** Drives highlight.js: classes only, so the page's CSP has nothing to object to. */
import hljs from "../vendor/highlight/core.min.js";

/** @type {Map<string, Promise<void>>} */
const grammars = new Map();

/** @param {Element} code its <pre> names the grammar in data-highlight */
export async function highlight(code) {
  const name = /** @type {HTMLElement} */ (code.parentElement).dataset.highlight ?? "";
  if (!grammars.has(name)) grammars.set(name, load(name));
  await grammars.get(name);
  const { value } = hljs.highlight(code.textContent ?? "", { language: name, ignoreIllegals: true });
  code.innerHTML = value;
}

/** @param {string} name */
async function load(name) {
  const grammar = await import(`../vendor/highlight/${name}.min.js`);
  hljs.registerLanguage(name, grammar.default);
}
