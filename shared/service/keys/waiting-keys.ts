import type { KeyRole } from '../../keys/provider.ts';
import { formatKeyUri, parseKeyUri } from '../../keys/uri.ts';
import { becomes, changeItem, goes, unchanged } from '../../ledger/change.ts';
import { scanAll } from '../../ledger/scan.ts';
import type { Actor } from '../api/actor.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { requireBegun } from '../dual-control/dual-control.ts';
import { type WaitingKey, waitingKey } from '../records/custody.ts';
import { keyTag, ledgerKeys, partitions } from '../records/keys.ts';

/*
 * Keys that were made by a command and are not in use: a binding key waits for its certificate, any other to be taken into
 * use. A key is put down before its backend makes it, so that none is left there that nobody knows of.
 */

const canonical = (uri: string) => formatKeyUri(parseKeyUri(uri));

export async function noteWaitingKey(
  { ledger, now }: Pick<Context, 'ledger' | 'now'>,
  { uri: written, role }: { readonly uri: string; readonly role: KeyRole },
  by: Actor,
): Promise<void> {
  const uri = canonical(written);
  await changeItem(ledger, ledgerKeys.waitingKey(uri), async (item) => {
    if (item !== undefined) return unchanged();
    await requireBegun(ledger, { action: 'key.generate', subject: role }, by);
    return becomes(waitingKey.to({ uri, role, since: now() }), undefined, [
      auditWrite(
        { event: 'key.made', by, about: { key: uri, role } },
        `key-made-${keyTag(uri)}-${now()}`,
        now(),
      ),
    ]);
  });
}

/** Those in use may still be among them, where a command was cut off. */
export const waitingKeys = async ({ ledger }: Pick<Context, 'ledger'>): Promise<readonly WaitingKey[]> =>
  (await scanAll(ledger, partitions.waitingKeys)).map(waitingKey.from);

/** It is in use now, or never will be. False where it did not wait. */
export function forgetWaitingKey({ ledger }: Pick<Context, 'ledger'>, uri: string): Promise<boolean> {
  return changeItem<boolean>(ledger, ledgerKeys.waitingKey(canonical(uri)), (item) =>
    item === undefined ? unchanged(false) : goes(true),
  );
}
