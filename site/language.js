/**
 * The shell's language, before the first paint and before Python: `?lang=`, what was chosen before, what the browser
 * prefers, English. A classic script that stands before what it translates or after it.
 *
 * The texts are in <script id="shell-strings">, put there by the build. Once Python runs, it draws every text itself.
 */
(() => {
  const page = document.documentElement;
  const CHOICE = "candil.language";

  /** @type {Record<string, Record<string, string>>} */
  const languages = JSON.parse(document.getElementById("shell-strings")?.textContent ?? "{}");

  /** @returns {string | null} */
  function chosen() {
    try {
      return localStorage.getItem(CHOICE);
    } catch {
      return null; // storage is switched off
    }
  }

  /** @returns {string} */
  function preferred() {
    const wishes = [new URLSearchParams(location.search).get("lang"), chosen(), ...navigator.languages];
    const known = wishes.map((wish) => wish?.split("-")[0].toLowerCase() ?? "").find((wish) => wish in languages);
    return known ?? "en";
  }

  /** @param {Element} element @param {Record<string, string>} texts */
  function translate(element, texts) {
    for (const { name, value } of [...element.attributes]) {
      const text = name.startsWith("data-i18n") ? texts[value] : undefined;
      if (text === undefined) continue;
      const attribute = name.slice("data-i18n-".length);
      if (attribute) element.setAttribute(attribute, text);
      else if (element.textContent !== text) element.textContent = text;
    }
  }

  /** @param {string} language @param {ParentNode} root */
  function apply(language, root) {
    const texts = languages[language] ?? {};
    page.lang = language;
    for (const element of root.querySelectorAll("*")) translate(element, texts);
    const choice = document.getElementById("language");
    if (choice instanceof HTMLSelectElement) choice.value = language;
  }

  const language = preferred();
  apply(language, document);
  if (document.readyState === "loading") {
    // The parser may stop and paint anywhere: what it adds is translated as it comes.
    const observer = new MutationObserver(() => apply(language, document));
    if (language !== "en") observer.observe(document, { childList: true, subtree: true });
    document.addEventListener("DOMContentLoaded", () => {
      observer.disconnect();
      apply(language, document);
    });
  }

  document.addEventListener("change", (event) => {
    const choice = event.target;
    if (page.dataset.candil !== "shell" || !(choice instanceof HTMLSelectElement) || choice.id !== "language") return;
    try {
      localStorage.setItem(CHOICE, choice.value);
    } catch {
      // Storage is switched off: the choice lasts as long as the page.
    }
    apply(choice.value, document);
  });
})();
