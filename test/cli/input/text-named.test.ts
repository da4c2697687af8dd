import { afterAll, describe, expect, it } from 'vitest';
import { nameText } from '../../../cli/input/text-named.ts';
import { inspect } from '../../../cli/inspect/inspect.ts';
import { toHex, utf8 } from '../../../shared/codec/bytes.ts';
import { ownTemplate } from '../../../shared/profile/package/template/own-profile.ts';
import { oneOfEach } from '../support/artefacts.ts';
import { Folder } from '../support/binding-bench.ts';
import { type ErrorDocument, runCli } from '../support/cli.ts';

/**
 * What people paste where DER belongs, after questions to lpac, onomondo-ipa and asn1Play: ES9+ JSON, base64url, prefixes,
 * separators, dumps, value notation, and what a PowerShell redirection makes of a file.
 */
const folder = new Folder();
afterAll(() => folder.remove());
const artefacts = await oneOfEach();
const pir = Buffer.from(artefacts.get('profileInstallationResult')!);
const hex = toHex(pir);
const base64 = pir.toString('base64');

const grouped = (text: string, size: number, between: string) =>
  text.match(new RegExp(`.{1,${size}}`, 'g'))!.join(between);
const dump = grouped(hex, 32, '\n')
  .split('\n')
  .map((line, i) => `${(i * 16).toString(16).padStart(8, '0')}: ${grouped(line, 4, ' ')}  ................`)
  .join('\n');

const FORMS: readonly (readonly [name: string, text: string | Uint8Array, what: RegExp])[] = [
  ['JSON of ES9+', JSON.stringify({ pendingNotification: base64 }), /^JSON with pendingNotification$/],
  ['JSON that is a list', JSON.stringify([base64]), /^JSON$/],
  ['text that begins as JSON', `{pendingNotification: ${base64}}`, /begins as JSON/],
  ['base64url', `${base64.replace(/\+/g, '-').replace(/\//g, '_').replace(/=/g, '')}-_`, /^base64url/],
  ['base64 without its end', base64.replace(/=+$/, '').slice(0, 61), /no multiple of four/],
  ['base64 with a stray character', `${base64.slice(0, 40)}*${base64.slice(40)}`, /base64, but for "\*"/],
  ['0x before hexadecimal', `0x${hex}`, /hexadecimal, but for "x" at line 1, column 2/],
  ['0x before each octet', grouped(hex, 2, ', 0x').replace(/^/, '0x'), /hexadecimal, but for "x"/],
  ['colons', grouped(hex, 2, ':'), /hexadecimal, but for ":" at line 1, column 3/],
  ['dashes', grouped(hex, 2, '-'), /hexadecimal, but for "-" at line 1, column 3/],
  [
    'a comma in the second line',
    `${hex.slice(0, 20)}\n${hex.slice(20, 24)},${hex.slice(24)}`,
    /"," at line 2, column 5/,
  ],
  ['an odd number of digits', hex.slice(1), /odd number of digits/],
  ['a dump of xxd', dump, /hex dump/],
  [
    'value notation',
    'value1 ProfileElement ::= header : {\n  major-version 2\n}\n',
    /^ASN\.1 value notation$/,
  ],
  [
    'value notation after a comment',
    '-- made by hand\nvalue1 ProfileElement ::= header : {}\n',
    /^ASN\.1 value notation$/,
  ],
  ['an error page', '<html><body>502 Bad Gateway</body></html>', /XML or HTML/],
  ['prose', 'Please find the profile attached.', /text, with "P" at line 1, column 1/],
  ['hexadecimal in UTF-16', Buffer.from(`\ufeff${hex}`, 'utf16le'), /U\+FEFF|odd|hexadecimal|text/],
];

describe('a file that is text and no object is named', () => {
  it.each(FORMS)('%s', (_, text, what) => {
    expect(nameText(typeof text === 'string' ? utf8(text) : text)?.what).toMatch(what);
  });

  it('a binary artefact of any kind is not named as text', () => {
    for (const [kind, octets] of artefacts) expect(nameText(octets), kind).toBeUndefined();
  });

  it('octets that begin as UTF-16 does and are no ASCII are not', () => {
    for (const mark of ['fffe', 'feff'])
      expect(nameText(Buffer.from(`${mark}0151a7c3ff01`, 'hex'))).toBeUndefined();
  });

  it('hexadecimal, base64 and PEM are read and not named', () => {
    for (const text of [
      hex,
      `${grouped(hex, 32, '\n')}\n`,
      hex.toUpperCase(),
      base64,
      grouped(base64, 64, '\n'),
    ])
      expect(inspect(utf8(text)).artefacts[0]!.kind).toBe('profileInstallationResult');
  });
});

describe('the commands that read an object', () => {
  it('name the text that was given in its place, with a way out', async () => {
    const file = folder.write('result.json', utf8(JSON.stringify({ pendingNotification: base64 })));
    const cert = folder.write('euicc.der', artefacts.get('certificate')!);
    const { code, error } = await failing('verify-pir', '--pir', file, '--euicc-cert', cert);
    expect(code).not.toBe(0);
    expect(error.message).toMatch(/--pir: .* is JSON with pendingNotification/);
    expect(error.hint).toMatch(/base64/);
  });

  it('name the artefact that was given in the place of another', async () => {
    const cert = folder.write('euicc.der', artefacts.get('certificate')!);
    const bpp = folder.write('bpp.der', artefacts.get('boundProfilePackage')!);
    const { error } = await failing('verify-pir', '--pir', bpp, '--euicc-cert', cert);
    expect(error.message).toMatch(/is a Bound Profile Package \(BF36\), not a Profile Installation Result/);
    const { error: other } = await failing('verify-pir', '--pir', bpp, '--euicc-cert', bpp);
    expect(other.message).toMatch(/not a Profile Installation Result/);
  });

  it('take a profile in hexadecimal for binding as for everything else', async () => {
    const file = folder.write('upp.hex', utf8(toHex(ownTemplate())));
    const { error } = await failing('bind', '--upp', file, '--metadata', file, '--out', folder.file('x'));
    expect(error.message).not.toMatch(/hexadecimal/);
  });
});

async function failing(...args: string[]): Promise<{ code: number | null; error: ErrorDocument['error'] }> {
  const { code, json } = await runCli(...args, '--json');
  return { code, error: json<ErrorDocument>().error };
}
