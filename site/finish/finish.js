/**
 * Finished code in colour, finished formulas as MathML. What each element is was decided in Python and stands in its
 * attributes; the libraries come with the first element that needs them. A little per task: none of this is urgent.
 */
import { highlight } from "./highlight.js";
import { typeset } from "./formulas.js";

const WAITING = "pre[data-highlight] > code:not([data-finished]), [data-tex]:not([data-finished])";

const BUDGET_MS = 4; // then the page has its turn

/** @type {Set<Element>} */
const added = new Set();
let working = false;

/** @param {Element} element with all that is in it */
export async function finish(element) {
  added.add(element);
  if (working) return;
  working = true;
  try {
    let end = performance.now() + BUDGET_MS;
    for (const found of waiting()) {
      found.setAttribute("data-finished", "");
      await (found.hasAttribute("data-tex") ? typeset(found) : highlight(found));
      if (performance.now() < end) continue;
      await new Promise((resolve) => setTimeout(resolve));
      end = performance.now() + BUDGET_MS;
    }
  } finally {
    working = false;
  }
}

/** Also in what is added while this goes on. */
function* waiting() {
  for (const element of added) {
    added.delete(element);
    for (const found of [element, ...element.querySelectorAll(WAITING)]) {
      if (found.isConnected && found.matches(WAITING)) yield found;
    }
  }
}
