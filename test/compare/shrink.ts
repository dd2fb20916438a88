import { isList, isMessage, type Request, type Template, type Templates } from './request.js';

/** A sequence that shows a difference is tried in this many shorter forms at most. */
export const MAX_SHRINK_ATTEMPTS = 250;

/**
 * The shortest part of `requests` found that still shows the difference, as positions. Takes away ever smaller runs,
 * from the end, until no single request can go. The last one, which shows the difference, stays.
 */
export async function shrinkSequence(
  requests: readonly Request[],
  showsIt: (kept: readonly Request[]) => Promise<boolean>,
): Promise<number[]> {
  let kept = requests.map((_, position) => position);
  let attempts = 0;
  for (let run = Math.ceil(kept.length / 2); run >= 1; run = run === 1 ? 0 : Math.ceil(run / 2)) {
    for (let end = kept.length - 1; end > 0 && attempts < MAX_SHRINK_ATTEMPTS; end -= run) {
      const candidate = [...kept.slice(0, Math.max(0, end - run)), ...kept.slice(end)];
      attempts++;
      if (await showsIt(candidate.map((position) => requests[position] as Request))) kept = candidate;
    }
  }
  return kept;
}

/** Copies of `fields` with one thing less each: a field, an element of a list, at any depth. */
function* simplerFields(fields: Templates): Generator<Templates> {
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const others = Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name));
    yield others;
    for (const simpler of simplerValues(value)) yield { ...fields, [name]: simpler };
  }
}

function* simplerValues(value: Template): Generator<Template> {
  if (isMessage(value)) yield* simplerFields(value);
  else if (isList(value)) {
    if (value.length > 4) yield value.slice(0, value.length / 2);
    for (const [position, element] of value.entries()) {
      yield value.filter((_, other) => other !== position);
      for (const simpler of simplerValues(element)) yield value.with(position, simpler);
    }
  }
}

/** `requests` with as little in each of them as still shows the difference. */
export async function simplify(
  requests: readonly Request[],
  showsIt: (simpler: readonly Request[]) => Promise<boolean>,
): Promise<readonly Request[]> {
  let current = requests;
  let attempts = 0;
  for (let position = requests.length - 1; position >= 0; position--) {
    for (let improved = true; improved;) {
      improved = false;
      const request = current[position] as Request;
      if (request.kind === 'raw') break;
      for (const fields of simplerFields(request.fields)) {
        if (++attempts > MAX_SHRINK_ATTEMPTS) return current;
        const candidate = current.with(position, { ...request, fields });
        if (!(await showsIt(candidate))) continue;
        current = candidate;
        improved = true;
        break;
      }
    }
  }
  return current;
}
