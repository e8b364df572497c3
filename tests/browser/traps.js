/**
 * Runs before anything else in a page: notes whatever a text does there, and finds whatever it could do.
 * `acted()` is what has happened, `dangers()` what stands on the page and has no business to.
 */

/** Where texts come to stand. Outside of these nothing may change. */
const PLACES = "#conversation, #notice, #setup, #choice, #update, #announcer, #status, #chats, #files, #editing, #toast";

const HTML_TAGS = new Set(
  ("article div p br hr em strong s blockquote ul ol li h1 h2 h3 h4 h5 h6 table thead tbody tr th td a code pre span" +
    " details summary button input section form mark dl dt dd").split(" "),
);
const MATH_TAGS = new Set(
  ("math semantics mrow mi mn mo ms mtext mspace mfrac msqrt mroot msub msup msubsup munder mover munderover" +
    " mmultiscripts mprescripts none mtable mtr mtd mstyle mpadded mphantom menclose merror").split(" "),
);
const HTML_ATTRIBUTES = 
  /^(class|title|tabindex|start|type|disabled|checked|role|href|target|rel|dir|name|value|maxlength|autocomplete|enterkeyhint|data-[a-z0-9-]+|aria-[a-z]+)$/;
const ACTIONS = new Set([
  ...["copy-code", "try-again", "dismiss", "copy-message", "edit-message", "cancel-edit", "regenerate", "continue"],
  ...["delete-message", "switch-branch", "remove-file", "open-figures", "open-chat", "rename-chat", "pin-chat"],
  ...["export-chat", "delete-chat", "undo-chat", "close-toast"],
]);
const SCHEMES = new Set(["http:", "https:", "mailto:"]);

/** @type {string[]} */
const acts = [];

for (const name of ["alert", "confirm", "prompt", "print", "open", "eval", "Function"]) {
  const original = Reflect.get(window, name);
  /** @param {unknown[]} args */
  const trap = function (...args) {
    acts.push(`${name}(${String(args[0]).slice(0, 80)})`);
    return name === "Function" ? Reflect.construct(original, args) : undefined;
  };
  trap.prototype = original.prototype;
  Reflect.set(window, name, trap);
}
document.addEventListener("securitypolicyviolation", (event) => {
  acts.push(`violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`);
});
addEventListener("beforeunload", () => acts.push("the page was left"));
for (const kind of ["submit", "invalid"]) {
  addEventListener(kind, (event) => acts.push(`${kind} of ${/** @type {Element} */ (event.target).outerHTML}`), true);
}

/** @type {{ globals: Set<string>, outside: number, title: string } | undefined} */
let before;

/** What the page is like when all of its own has been loaded. */
function remember() {
  before = { globals: new Set(Object.getOwnPropertyNames(window)), outside: outside(), title: document.title };
}

function outside() {
  return document.querySelectorAll("*").length - document.querySelectorAll(`:is(${PLACES}) *`).length;
}

function acted() {
  const made = Object.getOwnPropertyNames(window).filter((name) => !before?.globals.has(name));
  if (document.title !== before?.title) acts.push(`title: ${document.title}`);
  if (outside() !== before?.outside) acts.push(`elements outside the places: ${outside()}, were ${before?.outside}`);
  return [...acts.splice(0), ...made.map((name) => `global: ${name}`)];
}

function dangers() {
  return [...document.querySelectorAll(`:is(${PLACES}) *`)].flatMap((element) =>
    problemsOf(element).map((problem) => `${problem}: ${element.outerHTML.slice(0, 300)}`),
  );
}

/** @param {Element} element */
function problemsOf(element) {
  if (element.closest("svg.lamp")) return isLamp(element) ? [] : ["a drawing that is not the lamp"];
  if (element.closest("svg")) return isIcon(element) ? [] : ["a drawing that is no icon"];
  const isMath = element.namespaceURI === "http://www.w3.org/1998/Math/MathML";
  const isHtml = element.namespaceURI === "http://www.w3.org/1999/xhtml";
  if (!(isMath && MATH_TAGS.has(element.localName)) && !(isHtml && HTML_TAGS.has(element.localName))) {
    return [`element ${element.localName}`];
  }
  const names = element.getAttributeNames();
  const bad = names.filter((name) => (isMath ? isBadInMath(element, name) : !HTML_ATTRIBUTES.test(name)));
  return [...bad.map((name) => `attribute ${name}`), ...(isHtml ? misuses(/** @type {HTMLElement} */ (element)) : [])];
}

/** @param {Element} element */
function isLamp(element) {
  const names = element.getAttributeNames().join(" ");
  if (element.localName === "use") return names === "href" && element.getAttribute("href") === "icons/candil.svg#lamp";
  return element.localName === "svg" && names === "class viewBox aria-hidden focusable";
}

/** One path in an otherwise empty drawing, on a control of the page's own. @param {Element} element */
function isIcon(element) {
  const names = element.getAttributeNames().join(" ");
  if (element.localName === "path") return names === "d" && /^[a-z0-9 .-]+$/i.test(element.getAttribute("d") ?? "");
  const place = element.parentElement?.matches("button.icon, .file > summary, .files > li");
  return element.localName === "svg" && names === "viewBox aria-hidden focusable" && Boolean(place);
}

/** @param {Element} element @param {string} name */
function isBadInMath(element, name) {
  const value = element.getAttribute(name) ?? "";
  return /^on|href|src|^id$|^name$|^action/.test(name) || /url\(|javascript:|position|expression/i.test(value);
}

/** @param {HTMLElement} element */
function misuses(element) {
  const found = [];
  if (element instanceof HTMLAnchorElement) {
    if (!SCHEMES.has(element.protocol)) found.push(`scheme ${element.protocol}`);
    if (element.target !== "_blank" || element.rel !== "noopener noreferrer") found.push("a handle on this page");
    const told = element.nextElementSibling?.matches(".link-host") ? element.nextElementSibling.textContent : "";
    const host = element.protocol === "mailto:" ? element.pathname : element.hostname.replace(/[[\]]/g, "");
    if (told !== `(${host})`) found.push(`host ${host} but told ${told}`);
  } else if (element.hasAttribute("href")) {
    found.push("an address on something else than a link");
  }
  if (element instanceof HTMLButtonElement && !ACTIONS.has(element.dataset.action ?? "")) found.push("an unknown action");
  if (element instanceof HTMLButtonElement && element.type !== "button") found.push("a button that submits");
  const isTask = element instanceof HTMLInputElement && element.type === "checkbox" && element.disabled;
  if (element instanceof HTMLInputElement && !isTask && !element.matches(".rename > input")) found.push("an input");
  return found;
}

Object.assign(window, { remember, acted, dangers });
