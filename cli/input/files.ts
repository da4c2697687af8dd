import { createReadStream } from 'node:fs';
import { access, constants, mkdir, open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Bytes } from '../../shared/codec/bytes.ts';
import { repeatedMember } from '../../shared/codec/json-names.ts';
import { readTlvHeader } from '../../shared/codec/tlv.ts';
import { Fault, Refusal } from '../../shared/errors.ts';
import { parseJson as parseStrictJson } from '../../shared/gsma/json.ts';
import { present } from '../../shared/present.ts';
import { parseRuntimeConfig, type RuntimeConfig } from '../../shared/runtime-config.ts';
import { HintedError, UsageError } from '../output/failure.ts';
import { unwrapText } from './text-form.ts';
import { nameText } from './text-named.ts';

/** The octets of a file as they are. `option` names what asked for it, in the error. */
export async function readOctets(path: string, option: string): Promise<Bytes> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, option, cause);
  }
}

/** The same, piece by piece. */
export async function* readPieces(path: string, option: string): AsyncGenerator<Bytes> {
  try {
    yield* createReadStream(path);
  } catch (cause) {
    throw unreadable(path, option, cause);
  }
}

/** Refuses a file that cannot be read, where somebody else will read it. */
export async function requireReadable(path: string, option: string): Promise<void> {
  try {
    await access(path, constants.R_OK);
  } catch (cause) {
    throw unreadable(path, option, cause);
  }
}

function unreadable(path: string, option: string, cause: unknown): UsageError {
  return new UsageError(
    `${option}: ${path} cannot be read (${reasonOf(cause)})`,
    'Check the path and its permissions.',
    { cause },
  );
}

/**
 * The DER of a file, which may also be written as PEM, base64 or hexadecimal; the first block of several. Text that is none
 * of these is named, and so is an object of another kind than `kind`, the name of one in `smdpf inspect`.
 */
export async function readDer(path: string, option: string, kind?: string): Promise<Bytes> {
  const file = await readOctets(path, option);
  const { encoding, blocks } = unwrapText(file);
  const [block] = blocks;
  if (block === undefined)
    throw new UsageError(`${option}: ${path} is empty`, 'Name a file that holds the object.');
  const text = encoding === 'binary' ? nameText(file) : undefined;
  if (text !== undefined) throw otherThanWanted(`${option}: ${path} is ${text.what}`, text.wayOut);
  if (kind !== undefined) {
    await requireKind(block.octets, kind, `${option}: ${path}`);
    // a profile package is a row of elements: whoever reads it counts them
    if (kind !== 'profilePackage') requireWhole(block.octets, `${option}: ${path}`);
  }
  return block.octets;
}

const otherThanWanted = (what: string, wayOut: string, offset?: number) =>
  new HintedError(new Refusal('protocolFormat', what, present({ offset })), wayOut);

/** By sound: an X.509 certificate, an eUICC data batch, a BPP batch. */
const withArticle = (title: string) => `${/^(?:[aeioAEIO]|Un|X\.)/.test(title) ? 'an' : 'a'} ${title}`;

/** Refuses octets that are plainly another artefact; octets that are none are left to who reads them. */
async function requireKind(octets: Bytes, kind: string, where: string): Promise<void> {
  const { DESCRIBERS } = await import('../inspect/inspect.ts');
  const wanted = DESCRIBERS.find((one) => one.kind === kind);
  if (wanted === undefined || wanted.matches(octets)) return;
  const found = DESCRIBERS.find(({ matches }) => matches(octets));
  if (found !== undefined)
    throw otherThanWanted(
      `${where} is ${withArticle(found.title)}, not ${withArticle(wanted.title)}`,
      'smdpf inspect FILE says what it is, field by field.',
    );
}

/** Refuses an object that was cut off or has something behind its end; what is no element at all is left to who reads it. */
function requireWhole(octets: Bytes, where: string): void {
  let whole: number;
  try {
    const { headerLength, length } = readTlvHeader(octets);
    whole = headerLength + length;
  } catch {
    return;
  }
  if (octets.length < whole)
    throw otherThanWanted(
      `${where} is cut off: it has ${octets.length} of its ${whole} octets`,
      'Fetch or copy it again: smdpf pull goes on where it stopped.',
      0,
    );
  if (octets.length > whole)
    throw otherThanWanted(
      `${where} goes on behind the end of the object: it has ${octets.length} octets, and ${whole} are of the object`,
      'Fetch or copy it again, or name one file for each object.',
      whole,
    );
}

/** A JSON object or list. */
export async function readJson(path: string, option: string): Promise<unknown> {
  return parseJson(await readOctets(path, option), path, option);
}

/** As strict as the server: no member twice. The message does not repeat the content, which may be a secret. */
export function parseJson(octets: Bytes, path: string, option: string): unknown {
  const unusable = (what: string) =>
    new UsageError(`${option}: ${path} ${what}`, 'Correct the file; a JSON validator shows where.');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(octets);
    JSON.parse(text);
  } catch {
    throw unusable('is not JSON');
  }
  const twice = repeatedMember(text);
  if (twice !== undefined)
    throw unusable(`has ${twice.name} twice in one object, or as a forbidden name (line ${twice.line})`);
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (error instanceof Refusal) throw unusable(`cannot be used: ${error.message}`);
    throw error;
  }
}

/** Refuses a file that is there, before anything is made that would have nowhere to go. */
export async function requireFresh(path: string, option: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const refused = (reason: string, cause?: unknown) =>
    new UsageError(
      `${option}: ${path} cannot be written (${reason})`,
      'Name another place, or remove what is there.',
      { cause },
    );
  if (found !== undefined) throw refused('it exists');
  const folder = dirname(path);
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw refused(reasonOf(cause), cause);
  }
}

export interface WriteOptions {
  /** Octal; 0o600 for what only the owner may read. */
  readonly mode?: number;
  /** Refuse to replace a file. */
  readonly fresh?: boolean;
}

/** Writes a file, with its folder where that is missing. */
export async function writeOutput(
  path: string,
  content: Bytes | string,
  option: string,
  { mode = 0o644, fresh = false }: WriteOptions = {},
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content, { mode, flag: fresh ? 'wx' : 'w' });
  } catch (cause) {
    throw cannotBeWritten(path, option, cause);
  }
}

const cannotBeWritten = (path: string, option: string, cause: unknown) =>
  new UsageError(
    `${option}: ${path} cannot be written (${reasonOf(cause)})`,
    'Name another place, or remove what is there.',
    { cause },
  );

/**
 * The same for content that comes piece by piece and is not held. A file has its name, and a mode that it had before, once it is
 * whole; what an attempt that failed has written is taken away again. What is no file, such as a pipe, is written to as it is.
 */
export async function writeOutputAsItComes(
  path: string,
  option: string,
  { mode = 0o644 }: Pick<WriteOptions, 'mode'>,
  produce: (write: (piece: Bytes | string) => Promise<void>) => Promise<void>,
): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  const isFile = found?.isFile() ?? true;
  const written = isFile ? `${path}.partial` : path;
  const file = await (async () => {
    await mkdir(dirname(path), { recursive: true });
    return await open(written, 'w', found === undefined ? mode : found.mode & 0o777);
  })().catch((cause: unknown) => {
    throw cannotBeWritten(path, option, cause);
  });
  try {
    await produce(async (piece) => {
      await file.appendFile(piece).catch((cause: unknown) => {
        throw cannotBeWritten(path, option, cause);
      });
    }).finally(() => file.close());
    if (isFile) await rename(written, path);
  } catch (error) {
    if (isFile) await rm(written, { force: true });
    throw error;
  }
}

function reasonOf(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code;
  const reasons: { readonly [code: string]: string } = {
    ENOENT: 'no such file or folder',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is no folder',
    EEXIST: 'it exists',
  };
  return reasons[code ?? ''] ?? code ?? 'unknown reason';
}

/** A RuntimeConfig in JSON, such as the output Runtime of a stack. */
export async function readRuntimeConfig(path: string): Promise<RuntimeConfig> {
  const text = Buffer.from(await readOctets(path, '--config')).toString('utf8');
  try {
    return parseRuntimeConfig(text, path);
  } catch (cause) {
    const reason = cause instanceof Fault ? cause.message : 'it is no RuntimeConfig';
    throw new UsageError(`--config: ${reason}`, 'Take the output Runtime of the stack.', { cause });
  }
}
