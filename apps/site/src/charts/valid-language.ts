// Chrome under LANG=C or LANG=POSIX has the language "en-US@posix", which Intl refuses. uPlot formats numbers with it
// as soon as it is loaded, so this module is imported first.
try {
  Intl.getCanonicalLocales(navigator.language);
} catch {
  Object.defineProperty(navigator, "language", { value: "en-US", configurable: true });
}
