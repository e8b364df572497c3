/**
 * What was chosen for this browser's appearance, before the first paint: whether the list of chats is beside the
 * conversation. A classic script in <head>; once Python runs, it sets the same attributes.
 */
(() => {
  const page = document.documentElement;
  /** @type {string | null} */
  let sidebar = null;
  try {
    sidebar = localStorage.getItem("candil.sidebar");
  } catch {
    // Storage is switched off: everything is as at the first visit.
  }
  const roomy = matchMedia("(min-width: 52.01rem)").matches;
  page.dataset.sidebar = roomy && sidebar !== "closed" ? "open" : "closed"; // on a phone it would hide everything else
})();
