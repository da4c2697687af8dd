import type { Bytes } from '../../shared/codec/bytes.ts';
import { refuse } from '../../shared/errors.ts';

/** How the octets of a file are written. */
export type Encoding = 'binary' | 'pem' | 'base64' | 'hex';

export interface Block {
  /** Of a PEM block, such as CERTIFICATE. */
  readonly label?: string;
  readonly octets: Bytes;
}

export interface UnwrappedText {
  readonly encoding: Encoding;
  readonly blocks: readonly Block[];
}

const PEM_BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const PRINTABLE = /^[\t\n\r\x20-\x7e]+$/;
const HEX = /^(?:\s*[0-9A-Fa-f]{2})+\s*$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** Text longer than this is not looked through. */
const TEXT_LIMIT = 64 * 1024 * 1024;

/** Takes a file as PEM (RFC 7468), hexadecimal or base64 where its text is nothing else, otherwise as it is. */
export function unwrapText(file: Bytes): UnwrappedText {
  const binary: UnwrappedText = { encoding: 'binary', blocks: file.length > 0 ? [{ octets: file }] : [] };
  if (file.length > TEXT_LIMIT || !isText(file)) return binary;
  const text = Buffer.from(file).toString('latin1');
  if (text.includes('-----BEGIN ')) return { encoding: 'pem', blocks: pemBlocks(text) };
  if (HEX.test(text)) return { encoding: 'hex', blocks: [{ octets: fromText(text, 'hex') }] };
  const compact = text.replace(/\s+/g, '');
  if (BASE64.test(compact) && compact.length % 4 === 0)
    return { encoding: 'base64', blocks: [{ octets: fromText(compact, 'base64') }] };
  return binary;
}

function isText(file: Bytes): boolean {
  // a look at the beginning spares reading large binary files as text
  return PRINTABLE.test(Buffer.from(file.subarray(0, 256)).toString('latin1'));
}

function fromText(text: string, encoding: 'hex' | 'base64'): Bytes {
  return Buffer.from(text.replace(/\s+/g, ''), encoding);
}

function pemBlocks(text: string): Block[] {
  // tools write the curve of a SEC1 key into a block of its own before it
  const matches = [...text.matchAll(PEM_BLOCK)].filter(([, label]) => label !== 'EC PARAMETERS');
  const blocks = matches.map(([, label, body = '']) => {
    const compact = body.replace(/\s+/g, '');
    if (!BASE64.test(compact) || compact.length % 4 !== 0)
      refuse('protocolFormat', `the PEM block ${label} is not base64`, {
        subjectIdentifier: `PEM ${label}`,
        offset: text.indexOf(body),
      });
    return { label: label!, octets: fromText(compact, 'base64') };
  });
  if (blocks.length === 0)
    refuse('protocolFormat', 'a PEM block has no end', { subjectIdentifier: 'PEM', offset: 0 });
  return blocks;
}
