import { scan } from '../../ledger/scan.ts';
import { decodeCertificate } from '../../pki/certificate.ts';
import { nameText } from '../../pki/name.ts';
import type { ExpiringEntry, ExpiringKind } from '../api/ops.ts';
import type { Context } from '../context.ts';
import { callbackClient } from '../records/callback-keys.ts';
import { ledgerKeys, partitions } from '../records/keys.ts';
import { ciRecord, dpPbRecord, eumRecord } from '../records/trust.ts';
import type { Trust } from '../trust/trust.ts';
import { listParties } from './people.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

const TODO: Readonly<Record<ExpiringKind, string>> = {
  dppb: 'get a new certificate from the CI and install it: docs/keys.md, “Life of a key”',
  ci: 'trust the new certificate of the CI: `smdpf trust add-ci`',
  eum: 'ask the EUM for its new certificate: `smdpf trust allow-eum`',
  crl: 'bring a newer list: `smdpf trust add-crl`',
  party: 'ask the party for a new certificate and register it: `smdpf party add`',
  tls: 'put a new certificate in its place and start the server again: docs/deploy.md',
  callback: '`smdpf callbacks rotate`, or `request` and `install`',
};

/** A certificate that only the process knows, such as that of its TLS server. */
export interface KnownCertificate {
  readonly kind: ExpiringKind;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly notAfterMs: number;
}

/** What ends within so many days, the next first. */
export async function listExpiring(
  context: Context,
  trust: Trust,
  more: readonly KnownCertificate[],
  days: number,
): Promise<{ expiring: readonly ExpiringEntry[] }> {
  const now = context.now();
  const known = [
    ...(await ofTrust(context)),
    ...(await ofLists(trust)),
    ...(await ofParties(context)),
    ...(await ofCallbacks(context)),
    ...more,
  ];
  const expiring = known
    .filter(({ notAfterMs }) => notAfterMs - now < days * DAY_MS)
    .sort((a, b) => a.notAfterMs - b.notAfterMs)
    .map(({ kind, name, notAfterMs }) => ({
      kind,
      name,
      notAfter: new Date(notAfterMs).toISOString(),
      daysLeft: Math.floor((notAfterMs - now) / DAY_MS),
      todo: TODO[kind],
    }));
  return { expiring };
}

/** CIs, EUMs, and certificates of ours that bind. */
async function ofTrust({ ledger }: Context): Promise<KnownCertificate[]> {
  const known: KnownCertificate[] = [];
  const add = (kind: ExpiringKind, der: Uint8Array) => {
    const { subject, notAfterMs } = decodeCertificate(der);
    known.push({ kind, name: nameText(subject.attributes), notAfterMs });
  };
  for await (const item of scan(ledger, partitions.trust)) {
    const kind = item.sort.split('#', 1)[0];
    if (kind === 'ci') add('ci', ciRecord.from(item).certificate);
    if (kind === 'eum') for (const der of eumRecord.from(item).certificates) add('eum', der);
    if (kind !== 'dppb') continue;
    const { state, certificates } = dpPbRecord.from(item);
    if (state === 'active') for (const der of certificates) add('dppb', der);
  }
  return known;
}

async function ofLists(trust: Trust): Promise<KnownCertificate[]> {
  const { crls } = await trust.list();
  return crls.map(({ issuer, issuerKeyId, nextUpdate }) => ({
    kind: 'crl',
    name: `${issuer} (${issuerKeyId})`,
    notAfterMs: nextUpdate.getTime(),
  }));
}

/** Of a party that has others, the one that stays counts. */
async function ofParties(context: Context): Promise<KnownCertificate[]> {
  const { parties } = await listParties(context);
  const last = new Map<string, KnownCertificate>();
  for (const { identifier, name, notAfter, state } of parties) {
    if (notAfter === undefined || state === 'revoked' || state === 'suspended') continue;
    const notAfterMs = Date.parse(notAfter);
    if (notAfterMs <= (last.get(identifier)?.notAfterMs ?? 0)) continue;
    last.set(identifier, {
      kind: 'party',
      name: name === undefined ? identifier : `${identifier} (${name})`,
      notAfterMs,
    });
  }
  return [...last.values()];
}

async function ofCallbacks({ ledger }: Context): Promise<KnownCertificate[]> {
  const item = await ledger.get(ledgerKeys.callbackKey('client'));
  if (item === undefined) return [];
  return callbackClient.from(item).certificates.map((der) => {
    const { subject, notAfterMs } = decodeCertificate(der);
    return { kind: 'callback', name: nameText(subject.attributes), notAfterMs };
  });
}
