/** Light or dark as it was chosen, before the first paint. A classic script that stands before the style sheets. */
try {
  document.documentElement.dataset.theme = localStorage.getItem("candil.theme") ?? "system";
} catch {
  // Storage is switched off: as the device is set.
}
