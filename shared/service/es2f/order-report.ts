import { createHash } from 'node:crypto';
import { utf8 } from '../../codec/bytes.ts';
import { refuse } from '../../errors.ts';
import { JWE_ALG } from '../../keys/intake-jwe.ts';
import { ifPresent, present } from '../../present.ts';
import type { Caller } from '../api/caller.ts';
import type { ServerKeys } from '../api/es2f.ts';
import type { Context } from '../context.ts';
import { deliveryPublicKeys } from '../keys/delivery-keys.ts';
import { longTermPublicKeys, longTermSignature } from '../keys/long-term.ts';
import { jwkOf, signedByDelivery } from '../keys/signed.ts';
import { loadOrderState, ownOrder } from '../supply/own-order.ts';
import { profileCount, viewProfiles } from './order-profiles.ts';

/** Profiles in one part of a report. */
const PART = 2_000;

/**
 * The report about an order as the Operator keeps it: parts that each are a JWS (RFC 7515, compact, ES256) by the
 * delivery key. The payload is a JSON object with the order, its state, the time, the places of the part's profiles
 * and, for each, ICCID, state, EID, since when and the SHA-256 of the result that its eUICC signed.
 */
export async function orderReport(
  context: Context,
  caller: Caller,
  { orderId, cursor }: { orderId: string; cursor?: string },
): Promise<{ report: string; longTermSignature?: string; cursor?: string }> {
  const order = await ownOrder(context, caller, orderId);
  const { state } = (await loadOrderState(context, orderId)).record;
  const count = await profileCount(context, orderId, order);
  const start = readCursor(cursor, count);
  const end = Math.min(count, start + PART);
  const profiles: object[] = [];
  for await (const profile of viewProfiles(context, orderId, order, state, [start, end])) {
    const { iccid, state: profileState, eid, detail, at, result } = profile;
    profiles.push({
      iccid,
      state: profileState,
      eid,
      detail,
      ...present({ at: ifPresent(at, (ms) => new Date(ms).toISOString()) }),
      ...present({
        resultSha256: ifPresent(result, (octets) => createHash('sha256').update(octets).digest('hex')),
      }),
    });
  }
  const payload = {
    orderId,
    operator: order.operator,
    profileType: order.profileType,
    quantity: order.quantity,
    state,
    at: new Date(context.now()).toISOString(),
    from: start,
    to: end,
    of: count,
    profiles,
  };
  const report = await sign(context, payload);
  return {
    report,
    ...present({
      longTermSignature: await longTermSignature(context, utf8(report)),
      cursor: end < count ? String(end) : undefined,
    }),
  };
}

/** A cursor is the place of the next profile. */
export function readCursor(cursor: string | undefined, count: number): number {
  if (cursor === undefined) return 0;
  const start = /^[0-9]{1,8}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (!(start <= count)) refuse('protocolFormat', 'the cursor is not one of this order');
  return start;
}

const sign = (context: Context, payload: object) =>
  signedByDelivery(context, 'smdpf-order-report+jws', payload);

/** What parties need to verify reports and manifests, and an Operator to encrypt rows to this server. */
export async function serverKeys(context: Context, { role }: Pick<Caller, 'role'>): Promise<ServerKeys> {
  const { keyRing, keyAssignments } = context;
  const assigned = role === 'operator' ? await keyAssignments.find('intake') : undefined;
  const intake = assigned && (await keyRing.intake(assigned.uri));
  const [inUse, ...former] = (await deliveryPublicKeys(context)).map((spki) => jwkOf(spki, 'sig', 'ES256'));
  const longTerm = (await longTermPublicKeys(context)).map((spki) => jwkOf(spki, 'sig', 'ML-DSA-65'));
  return {
    ...present({
      intakeKey: ifPresent(intake, ({ publicKey, oaepHash }) => jwkOf(publicKey, 'enc', JWE_ALG[oaepHash])),
    }),
    reportKey: inUse!,
    deliveryKeys: [inUse!, ...former],
    ...(longTerm.length > 0 && { longTermKeys: longTerm }),
  };
}
