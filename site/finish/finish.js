/**
 * Finished code in colour, finished formulas as MathML. What each element is was decided in Python and stands in its
 * attributes; the libraries come with the first element that needs them. One element per task: none of this is urgent.
 */
import { highlight } from "./highlight.js";
import { typeset } from "./formulas.js";

const WAITING = "pre[data-highlight] > code:not([data-finished]), [data-tex]:not([data-finished])";

/** @type {Set<Element>} */
const parts = new Set();
let working = false;

/** @param {Element} part a finished element is looked for in all of it except its growing tail */
export async function finish(part) {
  parts.add(part);
  if (working) return;
  working = true;
  try {
    for (let element = next(); element; element = next()) {
      element.setAttribute("data-finished", "");
      await (element.hasAttribute("data-tex") ? typeset(element) : highlight(element));
      await new Promise((resolve) => setTimeout(resolve));
    }
  } finally {
    working = false;
  }
}

/** @returns {Element | undefined} */
function next() {
  for (const part of parts) {
    for (const element of part.isConnected ? part.querySelectorAll(WAITING) : []) {
      if (!element.closest("[data-tail]")) return element;
    }
    parts.delete(part);
  }
  return undefined;
}
