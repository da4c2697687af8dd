import { type Carried, type Members, only, words } from './members.ts';
import { WORK_KINDS } from './work-kinds.ts';

/** `error`: the server failed. `warn`: people must look at it; the name begins with `alarm.`. */
export type LogLevel = 'error' | 'warn' | 'info';

interface Row {
  readonly level: LogLevel;
  /** What has happened when the line is written. */
  readonly when: string;
  readonly members: Members;
  /** Of an error or alarm: what to do. */
  readonly todo?: string;
}

const info = <const M extends Members>(when: string, members: M) =>
  ({ level: 'info', when, members }) as const;
const alarm = <const M extends Members>(when: string, members: M, todo: string) =>
  ({ level: 'warn', when, members, todo }) as const;

const MESSAGE = { message: 'text' } as const;
const WORK = {
  kind: words(...WORK_KINDS),
  id: 'identifier',
  task: 'number',
} as const;
const TROUBLE = {
  kind: WORK.kind,
  id: 'identifier',
  task: 'number',
  'code?': 'code',
  message: 'text',
} as const;
const CERTIFICATE = {
  certificate: 'hash',
  key: 'keyUri',
  state: words('expired', 'urgent', 'soon'),
  notAfter: 'time',
  daysLeft: 'number',
} as const;
const LIST = { issuer: 'keyIdentifier', distributionPoints: 'URLs' } as const;
/** What joins a line to the event that a background function was started for. */
const STARTED_FOR = {
  'kind?': WORK.kind,
  'id?': 'identifier',
  'task?': 'number',
  'messages?': 'number',
} as const;
const BRING_LIST = 'bring the list by `smdpf trust add-crl`; eUICCs below its issuer are refused meanwhile';

/** Every event of the operator's log, in the order in which docs/events.md has them. */
export const LOG_EVENTS = {
  call: info('a call of a party, of a device or through a transfer link was answered', {
    function: 'function',
    'party?': 'identifier',
    'functionCallIdentifier?': 'identifier',
    'orderId?': 'identifier',
    'requestId?': 'identifier',
    'batchId?': 'identifier',
    'reportId?': 'identifier',
    httpStatus: 'number',
    'status?': words('Executed-Success', 'Executed-WithWarning', 'Failed'),
    'subjectCode?': 'statusCode',
    'reasonCode?': 'statusCode',
    'incident?': 'identifier',
    durationMs: 'ms',
  }),
  task: info('a function that no party calls came to its end', {
    function: 'function',
    ...STARTED_FOR,
    status: words('done', 'failed'),
    'incident?': 'identifier',
    'complete?': 'flag',
    'open?': 'number',
    'queued?': 'number',
    'failed?': 'number',
    'chained?': 'number',
    'archived?': 'number',
    'looked?': 'number',
    'found?': 'number',
    'destroyed?': 'number',
    'gone?': 'number',
    'sequence?': 'number',
    'unusable?': 'number',
    'moved?': 'number',
    'waiting?': 'number',
    'stopped?': 'flag',
    'points?': 'number',
    durationMs: 'ms',
  }),
  'work.ended': info(
    'work came to its end, but for what is bound just in time; `code`: what most refusals were for',
    {
      kind: WORK.kind,
      id: 'identifier',
      'party?': 'identifier',
      'orderId?': 'identifier',
      'requestId?': 'identifier',
      'batchId?': 'identifier',
      'reportId?': 'identifier',
      done: 'number',
      refused: 'number',
      outcome: words('done', 'partly', 'refused'),
      'code?': 'code',
      durationMs: 'ms',
    },
  ),
  fault: {
    level: 'error',
    when: 'the server failed; `incident` is what the caller was told',
    members: { incident: 'identifier', function: 'function', ...STARTED_FOR, errors: 'errors' },
    todo: 'see [faults](runbook.md#faults)',
  },
  'server.started': info('the embedded server listens', {
    parties: 'URL',
    field: 'URL',
    'management?': 'URL',
    resumed: 'number',
  }),
  'server.stopped': info('it has closed its stores', {}),
  'state.observed': info('how the deployment stands, told on AWS', {
    ready: 'flag',
    'ill?': 'text',
    openWork: 'number',
    openWorkOldestSeconds: 'number',
    callbacksWaiting: 'number',
    callbacksParked: 'number',
    slowKeys: 'number',
    profilesAvailable: 'number',
    oneTimeKeysShort: 'number',
    'firstEndSeconds?': 'number',
  }),
  'task.failed': info('a task failed and will be tried again; −1 is the end of a job', TROUBLE),
  'task.givenUp': info('a task failed for the last time before the next start of the server', TROUBLE),
  'job.slowed': info('a chunk was bound with keys that had to wait', {
    job: 'identifier',
    chunk: 'number',
    times: 'number',
    waitedMs: 'ms',
  }),
  'key.slowed': info('calls to a key had to wait, or were slow; one line in five seconds', {
    call: 'function',
    key: 'key',
    reason: words('throttled', 'transient', 'slow'),
    times: 'number',
    waitedMs: 'ms',
  }),
  'key.certificate.endsSoon': info('a binding certificate ends within 90 days', CERTIFICATE),
  'key.wrapping.delayed': info(
    'data keys could not be moved to the wrapping key in use; tried again',
    MESSAGE,
  ),
  'audit.delayed': info(
    'lines could not be chained, archived or written; they wait and are tried again',
    MESSAGE,
  ),
  'life.delayed': info('what was left behind could not be destroyed; tried again', MESSAGE),
  'verify.delayed': info('a round of verification failed; the next one goes on', MESSAGE),
  'notice.delayed': info('a callback was not taken and is tried again', {
    'id?': 'identifier',
    attempts: 'number',
    reason: 'text',
  }),
  'notice.parked': info(
    'a callback to this server was given up after all attempts; the notice stays in the ledger',
    {
      id: 'identifier',
      url: 'URL',
      reason: 'text',
    },
  ),
  'alarm.callback.certificate': alarm(
    'the TLS client certificate for callbacks has ended, or ends within 30 days',
    { certificate: 'hash', notAfter: 'time', daysLeft: 'number' },
    '`smdpf callbacks rotate`, or `request` and `install`: [operators.md](operators.md#callbacks)',
  ),
  'alarm.callback.unsent': alarm(
    'no callback can be sent for now: a key that signs them, or the ledger, is out of reach',
    MESSAGE,
    'see [keys](runbook.md#keys); what waits is posted by itself afterwards',
  ),
  'alarm.ledger.frozen': alarm('the ledger was restored from a backup', MESSAGE, '`smdpf restore run`'),
  'alarm.crl.missing': alarm('a revocation list that is needed is missing', LIST, BRING_LIST),
  'alarm.crl.expired': alarm('a revocation list that is needed has expired', LIST, BRING_LIST),
  'alarm.crl.fetchFailed': alarm(
    'a revocation list could not be fetched',
    { 'point?': 'URL', message: 'text' },
    'reach the point from this server, or bring the list by `smdpf trust add-crl`',
  ),
  'alarm.dppb.unusable': alarm(
    'a binding certificate of this server does not hold',
    { certificate: 'hash', code: 'code' },
    'install a new one: keys.md, “Life of a key”',
  ),
  'alarm.eum.revoked': alarm(
    'a revocation list names EUMs that are known here',
    { issuer: 'keyIdentifier', eums: 'keyIdentifiers' },
    '`smdpf trust bound` lists what is bound to their eUICCs: tell those who have them',
  ),
  'alarm.eum.refused': alarm(
    'the chain of an EUM that was accepted holds no more',
    { eumChain: 'hash', ci: 'keyIdentifier', code: 'code', message: 'text' },
    'find out from the EUM; its eUICCs are refused meanwhile',
  ),
  'alarm.object.damaged': alarm(
    'octets of the vault are not those that were stored, or a PPK is lost; nothing was made of them',
    { object: 'identifier', 'order?': 'identifier', 'iccid?': 'ICCID', 'job?': 'identifier' },
    'see [damaged-objects](runbook.md#damaged-objects)',
  ),
  'alarm.verify.found': alarm(
    'ledger, vault, PPK vault or audit log are not as they should be, or contradict each other',
    {
      where: words('ledger', 'vault', 'PPK vault', 'audit log', 'files'),
      name: 'text',
      problem: 'text',
    },
    'see [verify-findings](runbook.md#verify-findings)',
  ),
  'alarm.key.unusable': alarm(
    'a key in use cannot be used',
    { role: words('binding', 'delivery', 'wrapping', 'intake', 'longTerm'), key: 'keyUri', problem: 'text' },
    'see [keys](runbook.md#keys)',
  ),
  'alarm.key.certificate': alarm(
    'a binding certificate has ended or ends within 21 days',
    CERTIFICATE,
    'see [keys](runbook.md#keys)',
  ),
  'alarm.party.certificate': alarm(
    'the client certificate of a party has ended, or ends within 30 days, and it has no other',
    { party: 'identifier', certificate: 'hash', notAfter: 'time', daysLeft: 'number' },
    'get a new one from the party and `smdpf party add` it beside the old one, which is refused once it has ended',
  ),
  'alarm.audit.unanchored': alarm(
    'the end of the audit log could not be kept outside',
    MESSAGE,
    'reach the store that `auditAnchor` names, or name another one; `smdpf audit anchor` keeps an end by hand',
  ),
  'alarm.clock.drift': alarm(
    'this machine’s clock differs from the time source by more than a second: times in both logs do too',
    { source: 'identifier', aheadMs: 'ms', roundTripMs: 'ms' },
    'see that the machine keeps time (chrony, systemd-timesyncd); lines that were written stay as they are',
  ),
  'alarm.clock.unchecked': alarm(
    'the time source could not be asked',
    MESSAGE,
    'reach the clock that `timeSource` names, or name another one',
  ),
  'alarm.form.unread': alarm(
    'the stored form could not be looked at, or is newer than this release reads: it changes nothing any more',
    MESSAGE,
    'run the release that the message names: [upgrades](upgrades.md)',
  ),
  'alarm.key.unchecked': alarm('the keys could not be looked at', MESSAGE, 'see [keys](runbook.md#keys)'),
  'alarm.key.rewrap': alarm(
    'a day after a rotation data keys are still under the former wrapping key',
    { from: 'keyUri', to: 'keyUri', hoursSinceRotation: 'number' },
    'see [rewrap-late](runbook.md#rewrap-late)',
  ),
} as const satisfies Readonly<Record<string, Row>>;

export type LogEvent = keyof typeof LOG_EVENTS;

/** The line of one event: its name and its members, and nothing else. */
export type LogRecord<E extends LogEvent = LogEvent> = E extends LogEvent
  ? { readonly event: E } & Carried<(typeof LOG_EVENTS)[E]['members']>
  : never;

/** The operator's log. */
export type Log = (record: LogRecord) => void;

/** Events that say no more than what was the matter. */
export type TroubleEvent = {
  [E in LogEvent]: { readonly message: LogRecord<'audit.delayed'>['message'] } extends Omit<
    LogRecord<E>,
    'event'
  >
    ? E
    : never;
}[LogEvent];

/** What is written of a record: level, event and the members of the event, whatever else it was given. */
export interface LogLine {
  readonly level: LogLevel;
  readonly event: LogEvent;
  readonly [member: string]: unknown;
}

export function lineOf(record: LogRecord): LogLine {
  const { event } = record;
  const { level, members } = LOG_EVENTS[event];
  return { level, event, ...only(members, record) };
}
