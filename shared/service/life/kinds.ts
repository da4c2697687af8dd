/**
 * Every kind of thing that is stored: who writes and reads it, how long it lives and what ends it (I10). docs/lives.md
 * is made of this table; a name without a row fails a test, and the bucket's lifecycle rules are the rows that say so.
 */
export interface StoredKind {
  readonly what: string;
  /** `*` stands for any text. A name is of the first row that fits it. */
  readonly names: string;
  readonly writtenBy: string;
  readonly readBy: string;
  readonly lives: string;
  readonly endedBy: string;
  /** Vault objects that the bucket of the AWS deployment ends by itself, a few days old, whoever forgot them. */
  readonly expiresOnAws?: true;
}

const kind = (
  names: string,
  what: string,
  [writtenBy, readBy]: readonly [writtenBy: string, readBy: string],
  [lives, endedBy]: readonly [lives: string, endedBy: string],
): StoredKind => ({ names, what, writtenBy, readBy, lives, endedBy });

const REAPER = 'the reaper, after 15 minutes, where its attempt is lost';
const FOR_EVER = ['for ever', 'nobody'] as const;
const LOCKED = ['for ever, locked', 'nobody'] as const;
const WITH_DEPLOYMENT = ['with the deployment', '`smdpf erase`'] as const;

export const VAULT_KINDS: readonly StoredKind[] = [
  {
    ...kind(
      'uploads/*',
      'what a party uploaded',
      ['the party, by a link', 'the function that it was uploaded for'],
      [
        'a day from the grant; rows until their order is open; a batch of eUICC data a day from its end; a template until its order is taken',
        'the reaper; rows and template: `es2f/order-uploads.ts`',
      ],
    ),
    expiresOnAws: true,
  },
  kind(
    'orders/*/template-*-rows',
    'where the blocks of an order’s rows are, with their hashes',
    ['`prepareProfiles`, `order-rows.ts`', '`order-packs.ts`'],
    ['with its order', REAPER],
  ),
  kind(
    'orders/*/template-*',
    'an order’s template, sealed',
    ['`prepareProfiles`', '`order-template.ts`'],
    ['with its order', REAPER],
  ),
  kind(
    'orders/*/rows-*',
    'rows as they came inline',
    ['`prepareProfiles`', '`order-rows.ts`'],
    ['until the order is open, cancelled or rejected', `\`es2f/order-uploads.ts\`; ${REAPER}`],
  ),
  kind(
    'orders/*/packs/*',
    'protected profiles of a pack',
    ['`order-packs.ts`', '`supply/packs.ts`'],
    ['for ever: of bound and cancelled profiles it opens with no key', REAPER],
  ),
  kind(
    'orders/*/output/*',
    'output rows of a pack, encrypted to the Operator',
    ['`order-packs.ts`', '`getOrderOutput`'],
    ['with its order', REAPER],
  ),
  kind(
    'euicc-data-results/*',
    'refusals of a batch of eUICC data',
    ['`esed1/euicc-batches.ts`', '`esed1.getTransfer`'],
    ['with its batch', 'nobody'],
  ),
  kind(
    'euicc-data/*',
    'a batch of eUICC data as it came inline',
    ['`registerEuiccData`', '`esed1/euicc-batches.ts`'],
    ['a day from the end of its work', `the reaper; ${REAPER}`],
  ),
  kind(
    'requests/*',
    'a BppRequest as it came',
    ['`requestBpp`', '`esbpp/chunk-items.ts`'],
    ['with its job', REAPER],
  ),
  kind(
    'parts/*-without-*',
    'a part with refusals in place of what is withheld',
    ['`esbpp/delivery.ts`', 'the device manufacturer, by a link'],
    LOCKED,
  ),
  kind(
    'parts/just-in-time/*',
    'a BPP that was bound just in time, sealed under a key that only its commit has',
    ['`esbpp/just-in-time/`', '`esbpp/delivery.ts`'],
    ['with its job', 'the reaper, after 15 minutes, where its commit does not hold'],
  ),
  kind(
    'parts/*',
    'BPPs of a chunk',
    ['`esbpp/binding.ts`', '`esbpp/delivery.ts`; the device manufacturer, by a link'],
    ['with its job', REAPER],
  ),
  kind(
    'manifests/*',
    'a signed manifest, and the second signature over it',
    ['`esbpp/delivery.ts`', '`esbpp/delivery.ts`'],
    LOCKED,
  ),
  kind(
    'report-results/*',
    'refusals of a large loading report',
    ['`reports/report-slices.ts`', '`esbpp.getTransfer`'],
    ['with its report', 'nobody'],
  ),
  kind(
    'reports/*',
    'a large loading report as it came',
    ['`sendProfileLoadingReport`', '`reports/report-slices.ts`'],
    ['for ever: signed results of eUICCs', REAPER],
  ),
  kind(
    'crls/*',
    'a revocation list',
    ['`trust/trust-administration.ts`', '`trust/trust-administration.ts`'],
    LOCKED,
  ),
  {
    ...kind(
      'tasks/*',
      'the list that a state machine maps its tasks over',
      ['`jobs/step-functions.ts`', 'Step Functions'],
      ['some days', 'the bucket’s lifecycle rule'],
    ),
    expiresOnAws: true,
  },
  {
    ...kind(
      'maps/*',
      'what came of such tasks',
      ['Step Functions', 'people who look for what failed'],
      ['some days', 'the bucket’s lifecycle rule'],
    ),
    expiresOnAws: true,
  },
  kind(
    'commits/*',
    'a locked commit record (I9)',
    ['`esbpp/commit.ts`', '`restore/`, `standing.ts`'],
    LOCKED,
  ),
  kind(
    'records/*',
    'locked records of jobs, orders and the deployment (I9, I12)',
    ['`records/locked-records.ts`', '`restore/`'],
    LOCKED,
  ),
  kind('audit/*', 'lines of the audit log', ['`audit/archive.ts`', '`smdpf audit`, `restore/`'], LOCKED),
];

export const PPK_KINDS: readonly StoredKind[] = [
  kind('deployment/*', 'whose PPK vault it is (I12)', ['the first start', 'each start'], WITH_DEPLOYMENT),
  kind(
    'audit-heads/*',
    'the end of the audit log, apart from the log',
    ['`audit/head-anchors.ts`', '`smdpf audit verify`'],
    ['until the next lines are chained', '`audit/head-anchors.ts`, what a crash left as well'],
  ),
  kind(
    '*/*/*-key*',
    'a pack’s data key, wrapped',
    ['`order-packs.ts`, `wrapping-rotation.ts`', '`supply/packs.ts`'],
    ['until its order is cancelled or rejected, or the next form takes its place', REAPER],
  ),
  kind(
    '*/*/*',
    'sealed PPKs of a pack',
    ['`order-packs.ts`', '`supply/packs.ts`'],
    ['each until its profile is bound, closed or cancelled', REAPER],
  ),
  kind(
    '*',
    'the anchor of an embedded ledger',
    ['`restore/standing.ts`', '`restore/standing.ts`'],
    ['until the next start or backup', '`restore/standing.ts`'],
  ),
];

/** By partition. What is an order's, a job's or an eUICC's is the record of what happened, and stays. */
export const LEDGER_KINDS: readonly StoredKind[] = [
  kind(
    'traces#*',
    'the trace of an attempt, an upload or an object whose use is over',
    ['`life/attempts.ts`, `life/uploads.ts`', '`life/reaper.ts`'],
    ['15 minutes or a day, and 15 minutes more once claimed', 'the commit that makes it count; the reaper'],
  ),
  kind(
    'transfer#*',
    'what an upload was granted for',
    ['`openTransfer`', 'the function that it is used by'],
    ['with the upload; one that was used up is known by size and hash with its order', 'the reaper'],
  ),
  kind(
    'uploads#*',
    'which uploads a party has under way',
    ['`openTransfer`', '`openTransfer`'],
    ['an entry as long as its upload', 'the reaper, and the next grant'],
  ),
  kind(
    'open-work',
    'work that was accepted and not completed',
    ['who takes work on', '`service/work.ts`'],
    ['until it is completed', 'the finish of its work'],
  ),
  kind(
    'notices',
    'notices to Operators',
    ['`reports/notices.ts`', '`notify/`'],
    ['until taken, or given up', '`notify/`'],
  ),
  kind(
    'notices-parked',
    'notices that were given up',
    ['`notify/`', '`callbacks/`'],
    ['until they are replayed', '`callbacks/replay.ts`'],
  ),
  kind(
    'callback-keys',
    'the keys of callbacks, sealed: what signs them, and the TLS client key',
    ['`callbacks/`', '`callbacks/`'],
    ['until another takes its place: a signing key for a day', '`callbacks/`'],
  ),
  kind(
    'rate#*',
    'the calls that a party has left',
    ['`parties/call-rate.ts`', '`parties/call-rate.ts`'],
    ['one item a party', 'nobody'],
  ),
  kind(
    'audit-pending',
    'lines that wait for the chain',
    ['every change', '`audit/log.ts`'],
    ['until they are chained', '`audit/log.ts`'],
  ),
  kind(
    'audit',
    'the chain of the audit log',
    ['`audit/log.ts`', '`audit/`'],
    ['until archived, its head for ever', '`audit/archive.ts`'],
  ),
  kind(
    'ledger',
    'standing and identity of the ledger',
    ['`restore/standing.ts`', 'every change'],
    WITH_DEPLOYMENT,
  ),
  kind('stored-form', 'the form in force, releases at work', ['`upgrade/`', 'every start'], WITH_DEPLOYMENT),
  kind('party', 'the party register', ['`smdpf party`', 'every call'], FOR_EVER),
  kind('trust', 'CIs, EUMs, certificates, revocation lists, epoch', ['`trust/`', '`trust/`'], FOR_EVER),
  kind(
    'trust-epoch#*',
    'copies of the trust epoch, for just-in-time commits to lean on',
    ['`trust/epoch-copies.ts`', '`esbpp/just-in-time/`'],
    FOR_EVER,
  ),
  kind(
    'binding-chain#*',
    'a certificate chain of ours, shared by jobs that were bound just in time',
    ['`esbpp/just-in-time/`', '`esbpp/`, `reports/`'],
    FOR_EVER,
  ),
  kind(
    'order-open#*',
    'marks that an order is open, for just-in-time commits to lean on',
    ['`es2f/`', '`esbpp/just-in-time/`'],
    ['until the order ends', '`supply/open-marks.ts`'],
  ),
  kind(
    'distribution-points',
    'where lists were fetched last',
    ['`trust/crl-fetcher.ts`', '`trust/crl-fetcher.ts`'],
    FOR_EVER,
  ),
  kind('eum-chain*', 'chains of EUMs', ['`trust/eum-chains.ts`', '`trust/`'], FOR_EVER),
  kind('keys', 'which key has which role', ['`custody/key-assignments.ts`', '`custody/`'], FOR_EVER),
  kind(
    'keys-waiting',
    'keys that were made by a command and are not in use',
    ['`keys/waiting-keys.ts`', '`smdpf keys`'],
    ['until taken into use', '`keys/waiting-keys.ts`'],
  ),
  kind(
    'dual-control',
    'administrators, what takes two of them, and what they have signed for',
    ['`dual-control/`', '`dual-control/`'],
    FOR_EVER,
  ),
  kind(
    'delivery-keys',
    'delivery keys that have signed',
    ['`keys/delivery-keys.ts`', '`getServerKeys`'],
    FOR_EVER,
  ),
  kind(
    'wrapped-under#*',
    'data keys by their wrapping key',
    ['`custody/data-keys.ts`', '`keys/wrapping-rotation.ts`'],
    ['with the data key', 'the reaper; the next rotation, of one that never got as far as a data key'],
  ),
  kind('orders-of#*', 'orders of an Operator', ['`es2f/`', 'people'], FOR_EVER),
  kind(
    'listed#*',
    'orders, jobs, batches of eUICC data and reports by time',
    ['who takes them on', '`inventory/`'],
    FOR_EVER,
  ),
  kind(
    'order-counts#*',
    'profiles of an order by state and day',
    ['every change of a state', '`counts/order-stock.ts`'],
    FOR_EVER,
  ),
  kind(
    'failures',
    'what failed and why, by time',
    ['`esbpp/`, `esed1/`, `reports/`, `parties/`', '`inventory/`'],
    ['for ever', 'nobody'],
  ),
  kind(
    'calls',
    'calls by party, function and minute',
    ['`parties/call-counts.ts`', '`inventory/`'],
    ['for ever', 'nobody'],
  ),
  kind(
    'order#*',
    'order, state, supply, packs, ties, shares',
    ['`es2f/`, `supply/`', '`es2f/`, `supply/`, `esbpp/`'],
    FOR_EVER,
  ),
  kind('draws#*', 'who drew which positions', ['`supply/draws.ts`', '`supply/`'], FOR_EVER),
  kind('profiles#*', 'states of profiles', ['`reports/`, `es2f/`', '`es2f/`'], FOR_EVER),
  kind(
    'iccid#*',
    'whose an ICCID is (I2)',
    ['`es2f/order-iccids.ts`', '`es2f/`, `esbpp/`'],
    [
      'for ever once its order is taken',
      '`es2f/order-iccids.ts`, of an order that is rejected; of one that never came, that order when it comes',
    ],
  ),
  kind('euicc#*', 'eUICC, its claims and its certificate', ['`esed1/`', '`esbpp/`, `reports/`'], FOR_EVER),
  kind('euicc-info2#*', 'EuiccInfo2, by hash', ['`esed1/`', '`eligibility/`'], FOR_EVER),
  kind('otpk#*', 'one-time keys that were ever seen (I1)', ['`esed1/`', '`esed1/`'], FOR_EVER),
  kind('ingest#*', 'a batch of eUICC data and what came of it', ['`esed1/`', '`esed1/`'], FOR_EVER),
  kind(
    'job#*',
    'job, chunks, progress, chains, the answer in parts',
    ['`esbpp/`', '`esbpp/`, `reports/`'],
    FOR_EVER,
  ),
  kind('report#*', 'reports and their answers', ['`reports/`', '`reports/`'], FOR_EVER),
  kind(
    'report-work#*',
    'a large report',
    ['`reports/report-slices.ts`', '`reports/report-slices.ts`'],
    FOR_EVER,
  ),
  kind(
    'report-slices#*',
    'what came of its slices',
    ['`reports/report-slices.ts`', '`reports/report-slices.ts`'],
    FOR_EVER,
  ),
];

/** The row that a name is of; undefined where it has none. */
export function kindOf(kinds: readonly StoredKind[], name: string): StoredKind | undefined {
  return kinds.find(({ names }) => pattern(names).test(name));
}

function pattern(names: string): RegExp {
  const escaped = names.split('*').map((piece) => piece.replaceAll(/[.\\+?^$()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}

/** Folders of the vault whose objects a bucket ends by itself. */
export const EXPIRING_FOLDERS: readonly string[] = VAULT_KINDS.filter(({ expiresOnAws }) => expiresOnAws).map(
  ({ names }) => names.slice(0, names.indexOf('/')),
);
