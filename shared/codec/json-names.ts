/**
 * The names in a JSON text, which `JSON.parse` tells only once it has let the last of two win (RFC 8259 section 4). Text
 * that is not JSON may pass here; `JSON.parse` refuses it.
 */
export interface JsonVisitor {
  /** An object or array begins, inside as many others. */
  open?(depth: number, at: number): void;
  /** A member of an object; `earlier` are the names that stand before it in the same object. */
  member(name: string, at: number, earlier: ReadonlySet<string>): void;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** One pass over the text. */
export function walkJson(text: string, visitor: JsonVisitor): void {
  /** The names seen in each open object; undefined for an array. */
  const open: (Set<string> | undefined)[] = [];
  let nameExpected = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      const end = endOfString(text, at);
      if (end < 0) return;
      const names = open.at(-1);
      const name = nameExpected && names !== undefined ? unquoted(text.slice(at, end + 1)) : undefined;
      if (name !== undefined && names !== undefined) {
        visitor.member(name, at, names);
        names.add(name);
      }
      at = end;
    } else if (char === COMMA) {
      nameExpected = open.at(-1) !== undefined;
    } else if (char === COLON) {
      nameExpected = false;
    } else if (char === 0x7b || char === 0x5b) {
      visitor.open?.(open.length, at);
      nameExpected = char === 0x7b;
      open.push(nameExpected ? new Set() : undefined);
    } else if (char === 0x7d || char === 0x5d) {
      open.pop();
      nameExpected = false;
    }
  }
}

/** Index of the closing quote; -1 where there is none. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end;
    end = text.indexOf('"', end + 1);
  }
  return -1;
}

function unquoted(quoted: string): string | undefined {
  try {
    const name: unknown = JSON.parse(quoted);
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

export interface RepeatedMember {
  /** As people may be shown it: `a member` where it is no plain name. */
  readonly name: string;
  /** From 1. */
  readonly line: number;
}

const PLAIN = /^[\w.:#@/-]{1,64}$/;

/** The first member that stands twice in an object, or is called `__proto__`; undefined where there is none. */
export function repeatedMember(text: string): RepeatedMember | undefined {
  let found: RepeatedMember | undefined;
  walkJson(text, {
    member(name, at, earlier) {
      if (found !== undefined || (!earlier.has(name) && name !== '__proto__')) return;
      found = {
        name: PLAIN.test(name) ? name : 'a member',
        line: text.slice(0, at).split('\n').length,
      };
    },
  });
  return found;
}
