import { walkJson } from '../codec/json-names.ts';
import { refuse } from '../errors.ts';
import { MAX_JSON_DEPTH, MAX_JSON_MEMBERS } from './limits.ts';

/**
 * Strict JSON (RFC 8259): what `JSON.parse` takes, less a name that occurs twice in an object (two readers would see
 * two messages), the name `__proto__`, and structures deep or wide enough to cost memory before they are refused.
 * Errors never quote the text.
 */
export function parseJson(text: string): unknown {
  checkStructure(text);
  try {
    return JSON.parse(text);
  } catch {
    // The SyntaxError is not kept as a cause: it quotes the body.
    return refuse('protocolFormat', 'the body is not well-formed JSON');
  }
}

function checkStructure(text: string): void {
  walkJson(text, {
    open(depth, at) {
      if (depth === MAX_JSON_DEPTH)
        refuse('tooLarge', `the JSON is nested deeper than ${MAX_JSON_DEPTH}`, { offset: at });
    },
    member(name, at, earlier) {
      if (name === '__proto__' || earlier.has(name))
        refuse('protocolFormat', 'a JSON object has a forbidden name or the same name twice', { offset: at });
      if (earlier.size === MAX_JSON_MEMBERS)
        refuse('tooLarge', `a JSON object has more than ${MAX_JSON_MEMBERS} members`, { offset: at });
    },
  });
}
