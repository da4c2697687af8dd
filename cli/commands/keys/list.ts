import { present } from '../../../shared/present.ts';
import type { KeyEntry } from '../../../shared/service/keys/key-inventory.ts';
import type { CliIo } from '../../output/cli-io.ts';
import { EXIT } from '../../output/exit-codes.ts';
import { table } from '../../output/table.ts';
import type { Folder } from '../folder-commands.ts';
import { withDeployment } from './open.ts';

export function listKeys({ folder }: Folder, io: CliIo): Promise<void> {
  return withDeployment(folder, async ({ keyInventory }) => {
    const keys = await keyInventory.list();
    warnOfExpiry(keys, io);
    io.answer({ keys: keys.map(asDocument) }, () => asTable(keys));
  });
}

export function healthOfKeys({ folder }: Folder, io: CliIo): Promise<void> {
  return withDeployment(folder, async ({ keyInventory }) => {
    const keys = (await keyInventory.list()).filter(({ state }) => state !== 'retired');
    warnOfExpiry(keys, io);
    // nothing leans on a key that waits
    const inUse = keys.filter(({ state }) => state !== 'waiting');
    const bad = inUse.filter(
      ({ problem, certificate }) => problem !== undefined || certificate?.expiry === 'expired',
    );
    const verdict =
      bad.length === 0
        ? `healthy: all ${inUse.length} keys in use can be used`
        : `NOT HEALTHY: ${bad.length} of ${inUse.length} keys in use cannot be used`;
    io.answer({ healthy: bad.length === 0, keys: keys.map(asDocument) }, () =>
      [asTable(keys), verdict].join('\n\n'),
    );
    if (bad.length > 0) io.exit(EXIT.refused);
  });
}

function warnOfExpiry(keys: readonly KeyEntry[], io: CliIo): void {
  for (const { uri, state, certificate } of keys) {
    if (state !== 'active' || certificate?.expiry === undefined) continue;
    const { sha256, notAfter, daysLeft, expiry } = certificate;
    const name = `the certificate ${sha256.slice(0, 16)} of ${uri}`;
    if (expiry === 'expired') io.warn(`${name} has expired`);
    else if (expiry === 'notYetValid') io.warn(`${name} is not valid yet`);
    else io.warn(`${name} ends on ${notAfter.toISOString().slice(0, 10)}, in ${daysLeft} days`);
  }
}

function asDocument({ certificate, since, ...entry }: KeyEntry): Record<string, unknown> {
  const key = { ...entry, ...present({ since: since?.toISOString() }) };
  if (certificate === undefined) return key;
  const { notBefore, notAfter, ...rest } = certificate;
  return {
    ...key,
    certificate: { ...rest, notBefore: notBefore.toISOString(), notAfter: notAfter.toISOString() },
  };
}

function asTable(keys: readonly KeyEntry[]): string {
  return table(
    ['role', 'state', 'algorithm', 'can leave', 'certificate ends', 'SHA-256', 'data keys', 'key', 'problem'],
    keys.map(({ role, state, description, certificate, dataKeys, uri, problem }) => [
      role,
      state,
      description?.algorithm,
      description && (description.exportable ? 'YES' : 'no'),
      role === 'binding' && state === 'waiting'
        ? 'awaits one'
        : certificate?.notAfter.toISOString().slice(0, 10),
      certificate?.sha256,
      dataKeys,
      uri,
      problem,
    ]),
  );
}
