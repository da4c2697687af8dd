import { TransportRefusal } from './transport-refusal.ts';

export const JSON_TYPE = 'application/json';
/** One DER object, tag included, where JSON would carry it as base64. */
export const DER_TYPE = 'application/octet-stream';

/** What the body is; 415 for anything that the function does not take. */
export function bodyType(headers: Headers, takesDer: boolean): 'json' | 'der' {
  const [type = '', ...parameters] = (headers['content-type'] ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() === 'identity') {
    if (type === DER_TYPE && takesDer) return 'der';
    if (type === JSON_TYPE && parameters.every((parameter) => /^charset="?utf-8"?$/.test(parameter))) {
      return 'json';
    }
  }
  throw new TransportRefusal(
    415,
    'protocolFormat',
    `the body must be ${JSON_TYPE}${takesDer ? ` or ${DER_TYPE}` : ''}, in UTF-8 and without content encoding`,
  );
}

/** DER where Accept names it and does not name JSON before it; JSON for everything else. Weights are not read. */
export function prefersDer(accept: string | undefined): boolean {
  const named = (accept ?? '').split(',').map((range) => range.split(';', 1)[0]!.trim().toLowerCase());
  return named.find((type) => type === DER_TYPE || type === JSON_TYPE) === DER_TYPE;
}

/** Names in lower case. */
export type Headers = Readonly<Record<string, string | undefined>>;
