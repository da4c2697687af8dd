import { type Carried, carries, type Members, words } from '../../events/members.ts';

/**
 * What restoring a backup does about a line that was written after it.
 *
 * - `again`: the change took something away, and restore takes it away again (restore/restrictions.ts);
 * - `administrator`: the change has to be made again by whoever administers this server, and restore lists it;
 * - `other records`: the vault's records, a repeat by the caller or the server's own rounds bring it back, or nothing is
 *   to be brought back.
 */
export type OnRestore = 'again' | 'administrator' | 'other records';

interface Row {
  /** What the line tells. */
  readonly tells: string;
  readonly about: Members;
  readonly onRestore: OnRestore;
}

const row = <const A extends Members, const R extends OnRestore>(onRestore: R, tells: string, about: A) => ({
  tells,
  about,
  onRestore,
});

const ORDER = { order: 'identifier' } as const;
const PROFILE = { order: 'identifier', iccid: 'ICCID' } as const;
const RESULT = { order: 'identifier', iccid: 'ICCID', eid: 'EID', transaction: 'identifier' } as const;
const KEY = { key: 'keyUri' } as const;
const APPROVAL = {
  request: 'identifier',
  action: 'identifier',
  subject: 'identifier',
  'login?': 'name',
} as const;

/** Every event of the audit log, in the order in which docs/events.md has them. */
export const AUDIT_EVENTS = {
  'order.taken': row('other records', 'an Operator’s order was accepted', {
    order: 'identifier',
    quantity: 'number',
    body: 'hash',
  }),
  'order.prepared': row('other records', 'all profiles of the order are made and protected', {
    order: 'identifier',
    quantity: 'number',
  }),
  'order.rejected': row('other records', 'the order’s profiles could not be made', {
    order: 'identifier',
    code: 'code',
  }),
  'order.cancelled': row('again', 'the Operator cancelled the order', ORDER),
  'order.closed': row('again', 'the Operator closed the order', ORDER),
  'profile.replaced': row('other records', 'another profile was set aside for an eUICC', {
    order: 'identifier',
    iccid: 'ICCID',
    eid: 'EID',
    position: 'number',
  }),
  'profile.closed': row(
    'other records',
    'the profile will never be bound, and its PPKs are destroyed',
    PROFILE,
  ),
  'profile.released': row('other records', 'the ICCID may be ordered again', PROFILE),
  'profile.installed': row('other records', 'an eUICC signed that it holds the profile', RESULT),
  'profile.failed': row(
    'other records',
    'an eUICC signed that it could not install the profile; `command` and `reason` as in its result',
    { ...RESULT, 'command?': 'word', 'reason?': 'word' },
  ),
  'profile.deleted': row('other records', 'an eUICC signed that the profile was deleted', RESULT),
  'profile.unreported': row(
    'other records',
    'a report tells of the profile, and no eUICC signed it; `cause` as the report has it',
    { ...RESULT, 'cause?': 'word' },
  ),
  'euiccData.registered': row('other records', 'an EuiccDataBatch was taken in to its end', {
    batch: 'identifier',
    entries: 'number',
    accepted: 'number',
    rejected: 'number',
    body: 'hash',
  }),
  'keys.closed': row('again', 'one-time keys of an eUICC will never be bound', {
    eid: 'EID',
    keys: 'oneTimeKeys',
  }),
  'request.taken': row('other records', 'a device manufacturer’s request was accepted', {
    request: 'identifier',
    order: 'identifier',
    job: 'identifier',
    items: 'number',
    body: 'hash',
  }),
  'chunk.committed': row(
    'other records',
    'the outcomes of a chunk of a job stand; `outcomes` is the hash over all; `request` and `body` where the request was bound just in time, so that nothing was taken before',
    {
      job: 'identifier',
      chunk: 'number',
      order: 'identifier',
      'request?': 'identifier',
      'body?': 'hash',
      bound: 'number',
      refused: 'number',
      'keysSlowed?': 'number',
      'keysWaitedMs?': 'ms',
      part: 'hash',
      outcomes: 'hash',
    },
  ),
  'report.taken': row('other records', 'a Profile Loading Report was taken in to its end', {
    report: 'identifier',
    verified: 'number',
    noted: 'number',
    rejected: 'number',
    body: 'hash',
  }),
  'call.refused': row('other records', 'a call was refused as a whole', {
    function: 'function',
    subjectCode: 'statusCode',
    reasonCode: 'statusCode',
    'call?': 'identifier',
  }),
  'console.login': row('other records', 'a person logged in to the console', {
    role: words('viewer', 'administrator'),
  }),
  'console.logout': row('other records', 'a person logged out of the console', {
    role: words('viewer', 'administrator'),
  }),
  'form.activated': row('administrator', 'records are written in a newer stored form from here on', {
    form: 'number',
    release: 'identifier',
  }),
  'party.added': row('administrator', 'a client certificate was registered', {
    fingerprint: 'hash',
    identifier: 'identifier',
    role: words('eum', 'deviceMaker', 'operator', 'auditor', 'viewer', 'administrator'),
    'name?': 'name',
  }),
  'party.revoked': row('again', 'a client certificate was revoked', { fingerprint: 'hash' }),
  'party.suspended': row('administrator', 'a client certificate calls no more, until it is resumed', {
    fingerprint: 'hash',
    identifier: 'identifier',
  }),
  'party.resumed': row('administrator', 'a client certificate that was suspended may call again', {
    fingerprint: 'hash',
    identifier: 'identifier',
  }),
  'trust.ci.added': row('administrator', 'a certificate of an eSIM CA is trusted', {
    ci: 'keyIdentifier',
    certificate: 'hash',
  }),
  'trust.ci.removed': row('again', 'an eSIM CA is trusted no more, or one certificate of it', {
    ci: 'keyIdentifier',
    'certificate?': 'hash',
  }),
  'trust.eum.allowed': row('administrator', 'an EUM is on the allow-list', { eum: 'keyIdentifier' }),
  'trust.eum.revoked': row('again', 'an EUM was taken off the allow-list', { eum: 'keyIdentifier' }),
  'trust.euicc.revoked': row('again', 'an eUICC was revoked on this server', { eid: 'EID' }),
  'trust.policy.set': row('administrator', 'what happens where a revocation list is missing or has expired', {
    missing: words('refuse', 'accept'),
    expired: words('refuse', 'accept'),
  }),
  'trust.dppb.installed': row('administrator', 'a binding certificate of this server is in use', {
    certificate: 'hash',
  }),
  'trust.dppb.retired': row('administrator', 'a binding certificate of this server binds nothing more', {
    certificate: 'hash',
  }),
  'trust.crl.taken': row('administrator', 'a revocation list was taken in', {
    issuer: 'keyIdentifier',
    number: 'serial',
    revoked: 'number',
  }),
  'callback.replayed': row('other records', 'a callback that was given up is posted again', {
    order: 'identifier',
    call: 'identifier',
  }),
  'callback.certificate.installed': row(
    'administrator',
    'this server calls Operators with another TLS client certificate',
    { certificate: 'hash' },
  ),
  'key.made': row('administrator', 'a key was made by a command, and waits to be taken into use', {
    key: 'keyUri',
    role: words('binding', 'delivery', 'wrapping', 'intake', 'longTerm'),
  }),
  'key.wrapping.assigned': row('administrator', 'another key wraps data keys', KEY),
  'key.wrapping.retired': row('administrator', 'a former wrapping key is never asked for again', KEY),
  'key.wrapping.rewrapped': row('other records', 'data keys were moved to the wrapping key in use', {
    from: 'keyUri',
    to: 'keyUri',
    dataKeys: 'number',
  }),
  'key.delivery.assigned': row('administrator', 'another key signs manifests', KEY),
  'key.delivery.retired': row('administrator', 'a former delivery key is never asked for again', KEY),
  'key.intake.assigned': row('administrator', 'another key opens what Operators encrypt to this server', KEY),
  'key.intake.retired': row('administrator', 'a former intake key is never asked for again', KEY),
  'key.longTerm.assigned': row('administrator', 'a key of ML-DSA signs beside the delivery key', KEY),
  'key.longTerm.retired': row('administrator', 'what a former long-term key has signed counts no more', KEY),
  'key.used': row('other records', 'how often a key was used since the line before', {
    key: 'keyUri',
    'role?': words('binding', 'delivery', 'wrapping', 'intake', 'longTerm'),
    operation: words('sign', 'generateDataKey', 'wrapDataKey', 'unwrapDataKey', 'decrypt', 'agree'),
    done: 'number',
    failed: 'number',
    since: 'time',
  }),
  'administrator.added': row('administrator', 'a person is registered who administers', {
    administrator: 'name',
    publicKey: 'hash',
    'awsRole?': 'name',
  }),
  'administrator.removed': row('administrator', 'a person administers no more', {
    administrator: 'name',
    publicKey: 'hash',
  }),
  'dualControl.set': row('administrator', 'which actions take two administrators', {
    actions: 'identifier',
    hours: 'number',
  }),
  'approval.requested': row('other records', 'a person asks to do what takes two', APPROVAL),
  'approval.given': row('other records', 'a second person agrees', APPROVAL),
  'approval.withdrawn': row('other records', 'what was asked for is not to be done any more', APPROVAL),
  'audit.reviewed': row('other records', 'a person has gone through the log up to a line, which held', {
    upTo: 'number',
    hash: 'hash',
    finding: 'name',
  }),
  'ceremony.held': row(
    'other records',
    'a key was made in a ceremony; `report` is the hash of its signed report',
    {
      key: 'keyUri',
      role: words('binding', 'delivery', 'wrapping', 'intake', 'longTerm'),
      witnesses: 'name',
      report: 'hash',
    },
  ),
  'ceremony.attested': row(
    'other records',
    'what the maker of an HSM says of a key was put beside the report of its ceremony, by the hashes of both',
    { key: 'keyUri', report: 'hash', attestation: 'hash' },
  ),
  'clock.compared': row('other records', 'this machine’s clock was compared with another one', {
    source: 'identifier',
    aheadMs: 'ms',
    roundTripMs: 'ms',
  }),
  'ledger.restored': row('other records', 'a backup was brought up to what the vault knows', {
    auditHead: 'number',
    auditLines: 'number',
    orders: 'number',
    jobs: 'number',
    commits: 'number',
    bound: 'number',
    taken: 'number',
    returned: 'number',
    closed: 'number',
  }),
  'deployment.erased': row('other records', 'the deployment was erased, and this is its last line', {}),
} as const satisfies Readonly<Record<string, Row>>;

export type AuditEvent = keyof typeof AUDIT_EVENTS;

/** What a line of this event is about. */
export type AuditAbout<E extends AuditEvent> = E extends AuditEvent
  ? Carried<(typeof AUDIT_EVENTS)[E]['about']>
  : never;

/** Events with this row of restoring. */
export type RestoredBy<R extends OnRestore> = {
  [E in AuditEvent]: (typeof AUDIT_EVENTS)[E]['onRestore'] extends R ? E : never;
}[AuditEvent];

/** Lines are kept for ever: one that another release wrote may be of an event that this one does not have. */
export const isAuditEvent = (event: string): event is AuditEvent => Object.hasOwn(AUDIT_EVENTS, event);

/** Whether a stored line holds what this event is about, each member of its kind. */
export const isAbout = <E extends AuditEvent>(event: E, about: object): about is AuditAbout<E> =>
  carries(AUDIT_EVENTS[event].about, about);
