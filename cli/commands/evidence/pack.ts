import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { openedJws, signedByOneOf } from '../../../shared/service/evidence/jws.ts';
import { keyId } from '../../../shared/service/keys/delivery-keys.ts';
import { deliveryJwk, signedByDelivery } from '../../../shared/service/keys/signed.ts';
import { isObject } from '../../../shared/service/records/schema.ts';
import { givenKeys } from '../../delivery/delivery-keys.ts';
import { withRuntime } from '../../deployment/with-runtime.ts';
import { readJson } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { UsageError } from '../../output/failure.ts';
import { fields, table } from '../../output/table.ts';
import { TOPICS } from './topics.ts';

export const PACK_TYP = 'smdpf-evidence-pack+jws';
const MANIFEST = 'manifest.jws';
/** For whoever verifies by another tool; whom to trust is theirs to know, from another channel. */
const KEY = 'delivery-key.json';

const sha256 = (octets: Uint8Array | string) => createHash('sha256').update(octets).digest('hex');

/** A folder with a file for each topic, and a manifest of their hashes, signed by the delivery key. */
export async function makePack(
  { folder, out, results: file }: { folder: string; out: string; results?: string },
  io: CliIo,
): Promise<void> {
  const results = file === undefined ? undefined : await readJson(file, '--results');
  await requireEmpty(out);
  await withRuntime(folder, async (runtime, _deployment, { person }) => {
    await runtime.audit.chain();
    const lines: ChainedLine[] = [];
    for await (const line of runtime.audit.lines()) lines.push(line);
    const files: Record<string, string> = {};
    for (const { file: name, title, content } of TOPICS) {
      const document = { topic: title, ...(await content({ runtime, lines, results })) };
      const text = `${JSON.stringify(document, undefined, 2)}\n`;
      files[name] = sha256(text);
      await writeFile(join(out, name), text, { mode: 0o600 });
    }
    const statement = {
      deployment: runtime.config.deployment,
      address: runtime.config.address,
      at: new Date(runtime.context.now()).toISOString(),
      madeBy: person,
      head: await runtime.audit.head(),
      files,
    };
    const jws = await signedByDelivery(runtime.context, PACK_TYP, statement);
    await writeFile(join(out, MANIFEST), `${jws}\n`, { mode: 0o600 });
    await writeFile(join(out, KEY), `${JSON.stringify(await deliveryJwk(runtime.context), undefined, 2)}\n`);
    io.answer({ folder: out, ...statement }, () =>
      table(
        ['topic', 'file', 'SHA-256'],
        TOPICS.map(({ title, file: name }) => [title, name, files[name]]),
      ),
    );
  });
}

async function requireEmpty(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).length > 0)
    throw new UsageError(`--out: ${folder} is not empty`, 'Name a new folder: a pack is whole by itself.');
}

/** The signature holds under keys that the user trusts, and the folder has the files that were signed and no other. */
export async function verifyPack(folder: string, keysFile: string, io: CliIo): Promise<void> {
  const { keys } = await givenKeys(keysFile, '--keys');
  const jws = (await readFile(join(folder, MANIFEST), 'latin1').catch(() => '')).trim();
  const opened = openedJws(jws);
  if (opened === undefined)
    throw new UsageError(`${folder} has no ${MANIFEST}`, 'smdpf evidence pack makes a folder with one.');
  const signer = opened.typ === PACK_TYP ? signedByOneOf(jws, keys) : undefined;
  const { files, ...statement } = opened.payload;
  const signed = new Map(isObject(files) ? Object.entries(files) : []);
  const there = (await readdir(folder)).filter((name) => name !== MANIFEST && name !== KEY);
  const problems = [
    ...(signer === undefined ? [{ file: MANIFEST, problem: 'no given key has signed it' }] : []),
    ...there.filter((name) => !signed.has(name)).map((file) => ({ file, problem: 'it was not signed' })),
  ];
  for (const [file, hash] of signed) {
    const content = await readFile(join(folder, file)).catch(() => undefined);
    if (content === undefined) problems.push({ file, problem: 'it is missing' });
    else if (sha256(content) !== hash) problems.push({ file, problem: 'it was changed' });
  }
  if (problems.length > 0) io.exit(EXIT.refused);
  const holds = problems.length === 0;
  io.answer({ holds, problems, ...(signer && { kid: keyId(signer) }), ...statement }, () =>
    holds
      ? fields([
          ['the pack', `holds, by the key ${keyId(signer!)}`],
          ['deployment', String(statement.deployment)],
          ['made', `${statement.at} by ${statement.madeBy}`],
        ])
      : table(
          ['file', 'problem'],
          problems.map(({ file, problem }) => [file, problem]),
        ),
  );
}
