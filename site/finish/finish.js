/**
 * Finished code in colour, finished formulas as MathML. What each element is was decided in Python and stands in its
 * attributes; the libraries come with the first element that needs them. A little per task: none of this is urgent.
 */
import { highlight } from "./highlight.js";
import { typeset } from "./formulas.js";

const WAITING = "pre[data-highlight] > code:not([data-finished]), [data-tex]:not([data-finished])";

const BUDGET_MS = 4; // then the page has its turn

/** @type {Set<Element>} */
const parts = new Set();
let working = false;

/** @param {Element} part a finished element is looked for in all of it except its growing tail */
export async function finish(part) {
  parts.add(part);
  if (working) return;
  working = true;
  try {
    let end = performance.now() + BUDGET_MS;
    for (const element of waiting()) {
      element.setAttribute("data-finished", "");
      await (element.hasAttribute("data-tex") ? typeset(element) : highlight(element));
      if (performance.now() < end) continue;
      await new Promise((resolve) => setTimeout(resolve));
      end = performance.now() + BUDGET_MS;
    }
  } finally {
    working = false;
  }
}

/** Also what is added while this goes on. */
function* waiting() {
  for (const part of parts) {
    parts.delete(part);
    for (const element of part.querySelectorAll(WAITING)) {
      if (element.isConnected && !element.closest("[data-tail]")) yield element;
    }
  }
}
