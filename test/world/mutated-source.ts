/**
 * Loaded before anything else (`node --import`): a source file is loaded with one piece of its text replaced, as the
 * environment says. A guard of the server is taken away so, and production has no switch for it.
 */
import { registerHooks } from 'node:module';

const { MUTATED_FILE = '', MUTATED_FROM = '', MUTATED_TO = '' } = process.env;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(MUTATED_FILE)) return loaded;
    const source = Buffer.from(loaded.source as Uint8Array).toString();
    if (!source.includes(MUTATED_FROM))
      throw new Error(`${MUTATED_FILE} has no ${MUTATED_FROM} to be mutated`);
    return { ...loaded, source: source.replace(MUTATED_FROM, MUTATED_TO) };
  },
});
