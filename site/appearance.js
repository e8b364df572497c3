/**
 * What was chosen for this browser's appearance, before the first paint: light or dark, and whether the list of chats is
 * beside the conversation. A classic script that stands before the style sheets; Python sets the same attributes later.
 */
(() => {
  const page = document.documentElement;

  /** @param {string} key @returns {string | null} */
  function chosen(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return null; // storage is switched off: everything is as at the first visit
    }
  }

  page.dataset.theme = chosen("candil.theme") ?? "system";
  const roomy = matchMedia("(min-width: 52.01rem)").matches; // else the list would hide everything
  page.dataset.sidebar = roomy && chosen("candil.sidebar") !== "closed" ? "open" : "closed";
})();
