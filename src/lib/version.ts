import { readFileSync } from 'node:fs';

/** raftkv's own version, from package.json, which lies above both src and dist. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }
).version;
