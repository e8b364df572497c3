/** Drives Temml: TeX in, MathML out. A formula that cannot be set goes on showing what was written. */
import temml from "../vendor/temml/temml.mjs";

/** @typedef {{ attributes: Record<string, string>, style: Record<string, string>, children?: MathNode[], toNode: () => Node }} MathNode */

const OPTIONS = { throwOnError: true, trust: false, strict: false, maxSize: /** @type {[number, number]} */ ([20, 50]), maxExpand: 200 };

const ACTING = "a, [href], [src], [id]"; // \ref and \label, which mean nothing outside a document

/** @param {Element} element with data-tex and data-formula */
export function typeset(element) {
  const { tex = "", formula } = /** @type {HTMLElement} */ (element).dataset;
  try {
    const tree = temml.__renderToMathMLTree(tex, { ...OPTIONS, displayMode: formula === "display" });
    withoutStyleAttributes(tree);
    const set = new DocumentFragment();
    set.append(tree.toNode());
    if (set.querySelector(ACTING)) throw new Error("a formula that acts");
    element.replaceChildren(set);
  } catch {
    element.removeAttribute("data-formula"); // not TeX after all, or TeX that Temml does not know
  }
}

/** A style attribute is what the CSP forbids; the same as properties is not. @param {MathNode} node */
function withoutStyleAttributes(node) {
  for (const declaration of (node.attributes?.style ?? "").split(";")) {
    const [name, value] = declaration.split(":");
    if (value) node.style[name.trim().replace(/-(.)/g, (_, letter) => letter.toUpperCase())] = value.trim();
  }
  if (node.attributes) delete node.attributes.style;
  for (const child of node.children ?? []) withoutStyleAttributes(child);
}
