import { type SuiteName, suiteByName } from '../../crypto/suite.ts';
import type { ItemKey } from '../../ledger/ledger.ts';
import { suiteName } from './common.ts';
import { ledgerKeys } from './keys.ts';
import { type RecordOf, recordOf } from './record.ts';
import { dictionary, list, object, octets, oneOf, optional, type TypeOf, text, whole } from './schema.ts';

const oneTimeKey = object({
  keyId: text,
  /** Its first octets, as many as the eUICC's suite says (`recordedLength`); the key's owner record has the rest. */
  otPk: octets,
  state: oneOf('free', 'claimed', 'closed'),
  /** The request item that claimed it; see `itemName`. */
  by: optional(text),
});

/**
 * One eUICC as the ledger holds it: its one-time keys and what they were claimed for. A single item, so that one
 * conditional write takes a key and the EID's place in the order together. Certificates live apart.
 */
export const euiccRecord = recordOf('eUICC', {
  suite: suiteName,
  /** SubjectKeyIdentifier of the root of its chain, hexadecimal. */
  ciPkId: text,
  /** SHA-256 of the EUM chain and of BF22: the items are shared by thousands of eUICCs. */
  eumChain: text,
  euiccInfo2: text,
  /** Of the eUICC certificate: serial number as hexadecimal, end of validity in milliseconds. */
  serialNumber: text,
  notAfter: whole,
  /** Milliseconds since 1970: when the administrator stopped it. Its unbound keys are never bound. */
  revokedAt: optional(whole),
  /** functionRequesterIdentifiers that may bind it and close its keys. */
  deviceMakers: list(text),
  keys: list(oneTimeKey),
  /** By order: the request items that hold, or try to take, a profile of that order for this EID. */
  orders: dictionary(list(text)),
});

export type EuiccRecord = RecordOf<typeof euiccRecord>;
export type OneTimeKeyRecord = TypeOf<typeof oneTimeKey>;

/** The eUICC certificate, in DER. */
export const euiccCertificateRecord = recordOf('eUICC certificate', { der: octets });

/** BF22 as an eUICC signed it; shared by all that have the same. */
export const euiccInfo2Record = recordOf('EUICCInfo2', { der: octets });

/**
 * Who a one-time key belongs to, for ever. `by` and `orderId` are there where a restored ledger learned that the key
 * is taken before it learned of the eUICC: its record then begins with that claim (service/restore/claims.ts).
 */
export const keyOwner = recordOf('one-time key owner', {
  eid: text,
  keyId: text,
  /** What the eUICC's record leaves out of the key, where its suite has such a part: read once, when it is bound. */
  otPkRest: optional(octets),
  by: optional(text),
  orderId: optional(text),
});

export type KeyOwner = RecordOf<typeof keyOwner>;

/** In place of a keyId: the key is that of the eUICC's certificate, and no one-time key of anybody. */
export const CERTIFICATE_KEY = 'certificate';

/** Suites of one curve share the names of their keys: a point that served in one of them serves in no other. */
export const keyOwnerKey = (suite: SuiteName, identity: string): ItemKey =>
  ledgerKeys.oneTimeKey(suiteByName(suite).curve.name, identity);

/** The name of one request item, unique for ever: job and index. */
export const itemName = (jobId: string, index: number) => `${jobId}:${index}`;

export function parseItemName(name: string): { jobId: string; index: number } {
  const at = name.lastIndexOf(':');
  return { jobId: name.slice(0, at), index: Number(name.slice(at + 1)) };
}
