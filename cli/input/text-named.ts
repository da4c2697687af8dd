import type { Bytes } from '../../shared/codec/bytes.ts';
import { readSingleTlv } from '../../shared/codec/tlv.ts';
import { Refusal } from '../../shared/errors.ts';

/** What a text is that is neither PEM nor hexadecimal nor base64, and what to do with it. */
export interface NamedText {
  /** Such as `JSON`, with the first character that does not fit where it is nearly a form that is read. */
  readonly what: string;
  readonly wayOut: string;
}

/** Share of characters that have to fit before a text is called nearly hexadecimal or nearly base64. */
const NEARLY = 0.6;

/** Names a file that is text and no object; undefined for binary, and for text that happens to be one TLV. */
export function nameText(file: Bytes): NamedText | undefined {
  const text = textOf(file);
  if (text === undefined || isOneTlv(file)) return undefined;
  return FORMS.map((form) => form(text)).find((named) => named !== undefined);
}

type Form = (text: string) => NamedText | undefined;

const WRITE_PLAIN = 'Write the octets in binary, as PEM, or as hexadecimal or base64 with nothing else.';

const json: Form = (text) => {
  if (!/^\s*[{[]/.test(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const members = typeof value === 'object' && value !== null ? Object.keys(value).slice(0, 4) : [];
  const named = Array.isArray(value) || members.length === 0 ? '' : ` with ${members.join(', ')}`;
  return {
    what: `JSON${named}`,
    wayOut: 'Take the member that holds the object out of the JSON: its base64 alone is read.',
  };
};

const valueNotation: Form = (text) =>
  /^\s*(?:--.*\n\s*)*[a-z][\w-]*\s+[A-Z][\w-]*\s*::=/.test(text)
    ? {
        what: 'ASN.1 value notation',
        wayOut: 'Give the encoded object that belongs to it: DER, beside the text in most packages.',
      }
    : undefined;

const hexDump: Form = (text) =>
  /^(?:[0-9a-f]{6,8}:?\s+(?:[0-9a-f]{2,4}\s+){1,16}.*\n?)+$/i.test(`${text.trimEnd()}\n`) &&
  /^\s*0+:?\s/.test(text)
    ? { what: 'a hex dump with offsets', wayOut: '`xxd -r` turns a dump of xxd back into octets.' }
    : undefined;

const oddHex: Form = (text) =>
  /^[0-9A-Fa-f\s]+$/.test(text)
    ? {
        what: 'hexadecimal with an odd number of digits in a group',
        wayOut: 'A digit is missing or too many.',
      }
    : undefined;

const nearlyHex: Form = (text) => {
  const prefixed = /^\s*0x/i.test(text);
  const digits = text.replace(/0x/gi, '').replace(/[^0-9A-Fa-f]/g, '').length;
  const shown = text.replace(/\s/g, '').length;
  // three of four letters of other texts are no hexadecimal digits
  if (!prefixed && (digits < shown * NEARLY || /[g-z]{3}/i.test(text))) return undefined;
  const at = prefixed ? text.search(/x/i) : text.search(/[^0-9A-Fa-f\s]/);
  return { what: `hexadecimal, but for ${charactersAt(text, at)}`, wayOut: WRITE_PLAIN };
};

const base64Url: Form = (text) =>
  /^[A-Za-z0-9_=\s-]+$/.test(text) && /[_-]/.test(text) && !/[ \t][A-Za-z]/.test(text)
    ? {
        what: 'base64url (RFC 4648 section 5)',
        wayOut: 'Write it as base64: + for -, / for _, and = until the length is a multiple of four.',
      }
    : undefined;

const nearlyBase64: Form = (text) => {
  const compact = text.replace(/\s+/g, '');
  if (/^[A-Za-z0-9+/]+={0,2}$/.test(compact) && !/[ \t][A-Za-z]/.test(text.trim()))
    return {
      what: `base64 of ${compact.length} characters, which is no multiple of four`,
      wayOut: 'The end is missing, or the = at the end.',
    };
  const fitting = compact.replace(/[^A-Za-z0-9+/=]/g, '').length;
  if (fitting < compact.length * 0.97 || / [a-z]+ /i.test(text)) return undefined;
  return {
    what: `base64, but for ${charactersAt(text, text.search(/[^A-Za-z0-9+/=\s]/))}`,
    wayOut: WRITE_PLAIN,
  };
};

const markup: Form = (text) =>
  /^\s*</.test(text)
    ? {
        what: 'XML or HTML',
        wayOut: 'This may be the error page of a server: fetch the object again.',
      }
    : undefined;

const jsonBroken: Form = (text) =>
  /^\s*[{[]/.test(text) ? { what: 'text that begins as JSON does', wayOut: WRITE_PLAIN } : undefined;

const anyText: Form = (text) => ({
  what: `text, with ${charactersAt(text, text.search(/[^0-9A-Fa-f\s]/))} as the first character that is not hexadecimal`,
  wayOut: WRITE_PLAIN,
});

/** The first that fits names the text. */
const FORMS: readonly Form[] = [
  json,
  valueNotation,
  hexDump,
  markup,
  oddHex,
  nearlyHex,
  jsonBroken,
  base64Url,
  nearlyBase64,
  anyText,
];

/** A character with its place, counted from 1. */
function charactersAt(text: string, at: number): string {
  if (at < 0) return 'its form';
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - before.lastIndexOf('\n');
  const character = String.fromCodePoint(text.codePointAt(at)!);
  const shown = /[\x21-\x7e]/.test(character)
    ? `"${character}"`
    : `U+${text.codePointAt(at)!.toString(16).toUpperCase().padStart(4, '0')}`;
  return `${shown} at line ${line}, column ${column}`;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(file: Bytes): string | undefined {
  if (file.length === 0) return undefined;
  // what a PowerShell redirection writes; octets that begin so by chance are no ASCII
  const wide = wideTextOf(file);
  if (wide !== undefined) return /^[\t\n\r\x20-\x7e]*$/.test(wide) ? wide : undefined;
  try {
    const text = utf8.decode(file);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what tells binary from text
    return /[\x00-\x08\x0b\x0e-\x1f\x7f]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/** UTF-16 with its mark, which is left out. */
function wideTextOf(file: Bytes): string | undefined {
  if (file[0] === 0xff && file[1] === 0xfe) return new TextDecoder('utf-16le').decode(file);
  if (file[0] === 0xfe && file[1] === 0xff) return new TextDecoder('utf-16be').decode(file);
  return undefined;
}

function isOneTlv(file: Bytes): boolean {
  try {
    readSingleTlv(file);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}
