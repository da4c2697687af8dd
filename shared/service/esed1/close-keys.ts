import { checkEid } from '../../codec/eid.ts';
import { Refusal, refuse } from '../../errors.ts';
import { becomes, changeItem, unchanged } from '../../ledger/change.ts';
import type { Caller } from '../api/caller.ts';
import type { CloseKeysAnswer, KeyToClose } from '../api/esed1.ts';
import { itemRefusal } from '../api/item-refusal.ts';
import { auditWrite } from '../audit/line.ts';
import type { Context } from '../context.ts';
import { type EuiccRecord, euiccRecord, type OneTimeKeyRecord } from '../records/euicc.ts';
import { ledgerKeys } from '../records/keys.ts';
import type { Trust } from '../trust/trust.ts';
import { claimStandings } from './claims.ts';

/** Closes one-time keys that are gone from their eUICC, at the end of production say, so that nothing is bound to them. */
export async function closeKeys(
  context: Context,
  trust: Trust,
  caller: Caller,
  items: readonly KeyToClose[],
): Promise<CloseKeysAnswer> {
  let closed = 0;
  const bound: { eid: string; keyId: string }[] = [];
  const refused: CloseKeysAnswer['refused'][number][] = [];
  for (const item of items) {
    try {
      const result = await closeOne(context, trust, caller, item);
      closed += result.closed;
      bound.push(...result.bound.map((keyId) => ({ eid: item.eid, keyId })));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused.push({ ...item, ...itemRefusal(error) });
    }
  }
  return { closed, bound, refused };
}

async function closeOne(
  context: Context,
  trust: Trust,
  caller: Caller,
  { eid, keyId }: KeyToClose,
): Promise<{ closed: number; bound: string[] }> {
  const { ledger, now } = context;
  checkEid(eid);
  return await changeItem<{ closed: number; bound: string[] }>(
    ledger,
    ledgerKeys.euicc(eid),
    async (item) => {
      if (item === undefined)
        refuse('eidUnknown', 'no data is registered for this EID', { subjectIdentifier: eid });
      const euicc = euiccRecord.from(item);
      await requireMayClose(trust, caller, euicc, eid);
      const wanted = euicc.keys.filter((key) => keyId === undefined || key.keyId === keyId);
      if (keyId !== undefined && wanted.length === 0)
        refuse('oneTimeKeyUnknown', `the eUICC has no one-time key ${keyId}`);
      const standingOf = claimStandings(context);
      const bound: string[] = [];
      const closing = new Set<string>();
      for (const key of wanted) {
        const taken = key.state === 'claimed' && (await standingOf(key.by!)) !== 'refused';
        if (taken) bound.push(key.keyId);
        else if (key.state !== 'closed') closing.add(key.keyId);
      }
      // a key that is closed already counts as closed by this call too: a repeat is answered alike
      const result = { closed: wanted.length - bound.length, bound };
      if (closing.size === 0) return unchanged(result);
      const keys = euicc.keys.map(
        ({ by: _, ...key }, i): OneTimeKeyRecord =>
          closing.has(key.keyId) ? { ...key, state: 'closed' } : euicc.keys[i]!,
      );
      return becomes(euiccRecord.to({ ...euicc, keys }), result, [
        auditWrite(
          { event: 'keys.closed', by: caller.identifier, about: { eid, keys: [...closing].join(' ') } },
          `close-${eid}-${item.revision}`,
          now(),
        ),
      ]);
    },
  );
}

/** An EID is the matter of the device manufacturers that its EUM names, and of the party that speaks for the EUM. */
async function requireMayClose(trust: Trust, caller: Caller, euicc: EuiccRecord, eid: string): Promise<void> {
  const entitled =
    caller.role === 'deviceMaker'
      ? euicc.deviceMakers.includes(caller.identifier)
      : (await (await trust.current()).eumOf(euicc.eumChain, Buffer.from(euicc.ciPkId, 'hex'))).record
          .party === caller.identifier;
  if (!entitled)
    refuse('eidBoundElsewhere', 'the caller is not entitled to this EID', { subjectIdentifier: eid });
}
