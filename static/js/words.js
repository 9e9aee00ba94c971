// What scripts say, in the language of the page: assets/views/script_words.py puts it there. Without it, in English.
const known = JSON.parse(document.getElementById("script-words")?.textContent ?? "{}");
const language = document.documentElement.lang || undefined;
const forms = new Intl.PluralRules(language);

// `values` take the places of {names}.
export function words(text, values = {}) {
  return (known[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

// One of two texts, with the number in the place of {n}.
export function counted(number, one, many) {
  return words(forms.select(number) === "one" ? one : many, { n: inDigits(number) });
}

export function inDigits(number, options) {
  return number.toLocaleString(language, options);
}
