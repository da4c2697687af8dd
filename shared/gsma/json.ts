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

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** One pass over the text, before it is parsed. Text that is not JSON may pass here; `JSON.parse` refuses it. */
function checkStructure(text: string): void {
  /** The names seen in each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let nameExpected = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      if (nameExpected) addName(open.at(-1), text.slice(at, end + 1), at);
      at = end;
    } else if (char === COMMA) {
      nameExpected = open.at(-1) !== undefined;
    } else if (char === COLON) {
      nameExpected = false;
    } else if (char === 0x7b || char === 0x5b) {
      if (open.length === MAX_JSON_DEPTH) {
        refuse('tooLarge', `the JSON is nested deeper than ${MAX_JSON_DEPTH}`, { offset: at });
      }
      nameExpected = char === 0x7b;
      open.push(nameExpected ? new Set() : undefined);
    } else if (char === 0x7d || char === 0x5d) {
      open.pop();
      nameExpected = false;
    }
  }
}

/** Index of the closing quote. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return refuse('protocolFormat', 'the body is not well-formed JSON', { offset: start });
}

function addName(names: Set<string> | undefined, quoted: string, offset: number): void {
  if (names === undefined) return;
  let name: unknown;
  try {
    name = JSON.parse(quoted);
  } catch {
    refuse('protocolFormat', 'the body is not well-formed JSON', { offset });
  }
  if (typeof name !== 'string' || name === '__proto__' || names.has(name)) {
    refuse('protocolFormat', 'a JSON object has a forbidden name or the same name twice', { offset });
  }
  if (names.size === MAX_JSON_MEMBERS) {
    refuse('tooLarge', `a JSON object has more than ${MAX_JSON_MEMBERS} members`, { offset });
  }
  names.add(name);
}
