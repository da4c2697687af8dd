import { createHash } from 'node:crypto';
import { canonicalJson } from '../../../shared/codec/canonical-json.ts';
import { openedJws, signedByOneOf } from '../../../shared/service/evidence/jws.ts';
import { keyId } from '../../../shared/service/keys/delivery-keys.ts';
import { isObject } from '../../../shared/service/records/schema.ts';
import { givenKeys } from '../../delivery/delivery-keys.ts';
import { readJson } from '../../input/files.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { fields } from '../../output/table.ts';
import { ATTESTATION_TYP } from './attest.ts';
import { CEREMONY_TYP } from './hold.ts';

/** The signature holds under the given keys, and the report beside it is the one that was signed. */
export async function verifyCeremony(file: string, keysFile: string, io: CliIo): Promise<void> {
  const document = await readJson(file, '<report>');
  const { keys } = await givenKeys(keysFile, '--keys');
  const { report, jws } = isObject(document) ? document : {};
  const opened = typeof jws === 'string' ? openedJws(jws) : undefined;
  const signer = typeof jws === 'string' ? signedByOneOf(jws, keys) : undefined;
  const { sha256, ...signed } = opened?.payload ?? {};
  const same =
    (opened?.typ === CEREMONY_TYP || opened?.typ === ATTESTATION_TYP) &&
    isObject(report) &&
    canonicalJson(report) === canonicalJson(signed) &&
    createHash('sha256').update(canonicalJson(report)).digest('hex') === sha256;
  const holds = signer !== undefined && same;
  if (!holds) io.exit(EXIT.refused);
  const document2 = {
    holds,
    signature: signer === undefined ? 'doesNotHold' : 'holds',
    report: same ? 'asSigned' : 'changed',
    ...(signer !== undefined && { kid: keyId(signer) }),
    ...(holds && { key: signed.key, role: signed.role, witnesses: signed.witnesses, sha256 }),
  };
  io.answer(document2, () =>
    fields([
      [
        'signature',
        signer === undefined ? 'DOES NOT HOLD under these keys' : `holds, by the key ${keyId(signer)}`,
      ],
      ['report', same ? 'as it was signed' : 'NOT the one that was signed'],
      ...(holds ? ([['key', String(signed.key)]] as const) : []),
    ]),
  );
}
