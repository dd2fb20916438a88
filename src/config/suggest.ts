/** The name that was probably meant, or undefined when nothing is near. */
export function nearest(given: string, known: Iterable<string>): string | undefined {
  // A third of the letters may be wrong: less misses typos, more guesses wildly.
  let best = Math.max(2, Math.floor(given.length / 3)) + 1;
  let found: string | undefined;
  for (const name of known) {
    const distance = editDistance(given, name);
    if (distance < best) {
      best = distance;
      found = name;
    }
  }
  return found;
}

/** `; did you mean --name?`, or nothing. */
export function didYouMean(given: string, known: Iterable<string>, prefix = ''): string {
  const name = nearest(given, known);
  return name === undefined ? '' : `; did you mean ${prefix}${name}?`;
}

/** Levenshtein's distance: letters to insert, remove or replace. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, position) => position);
  for (let i = 0; i < a.length; i++) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j++) {
      const replace = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(replace, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
