import { readFile } from 'node:fs/promises';
import type { Bytes } from '../codec/bytes.ts';
import { Fault } from '../errors.ts';

/**
 * Where a PIN or passphrase is read from, so that it never stands in a URI: `file:PATH` (RFC 7512 pin-source;
 * `file:///PATH` is the same) or `env:NAME`. Programs (`|command`) are refused: a key URI must not run anything.
 */
export type SecretSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'env'; readonly name: string };

export type Environment = Readonly<Record<string, string | undefined>>;

/** `what` names the URI attribute in the Fault; the value is not repeated there, since it may be a secret. */
export function parseSecretSource(text: string, what: string): SecretSource {
  const file = /^file:(?:\/\/(?=\/))?((?!\/\/)[^\0]+)$/.exec(text);
  if (file) return { kind: 'file', path: file[1]! };
  const env = /^env:([A-Za-z_][A-Za-z0-9_]*)$/.exec(text);
  if (env) return { kind: 'env', name: env[1]! };
  throw new Fault('configuration', `${what} must be file:PATH or env:NAME`);
}

export function formatSecretSource(source: SecretSource): string {
  return source.kind === 'file' ? `file:${source.path}` : `env:${source.name}`;
}

/** The secret's octets; one line end after a file's content does not belong to it. The caller wipes them. */
export async function readSecret(source: SecretSource, env: Environment): Promise<Bytes> {
  const where = formatSecretSource(source);
  const secret =
    source.kind === 'env' ? fromEnvironment(env[source.name]) : await fromFile(source.path, where);
  if (secret === undefined || secret.length === 0) {
    throw new Fault('configuration', `the secret at ${where} is missing or empty`);
  }
  return secret;
}

function fromEnvironment(value: string | undefined): Bytes | undefined {
  return value === undefined ? undefined : Buffer.from(value, 'utf8');
}

async function fromFile(path: string, where: string): Promise<Bytes> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (cause) {
    throw new Fault('configuration', `the secret at ${where} cannot be read`, { cause });
  }
  let end = content.length;
  if (content[end - 1] === 0x0a) end -= content[end - 2] === 0x0d ? 2 : 1;
  return content.subarray(0, end);
}
