// What the page's scripts say, in the language of the page (scalptrack/review/words.py).

const WORDS = JSON.parse(document.body.dataset.words);
const NAMES = JSON.parse(document.body.dataset.names);

/** A message with its `{name}` filled in. */
export const word = (name, values = {}) =>
  WORDS[name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));

/** All codes of a kind that have a name, in their order. */
export const codes = (kind) => Object.keys(NAMES[kind]);

/** What a code is called; one without a name stays itself. */
export const named = (kind, code) => NAMES[kind][code] ?? String(code);
