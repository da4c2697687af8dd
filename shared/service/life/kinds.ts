import { kind, LOCKED, REAPER, type StoredKind, WITH_DEPLOYMENT } from './stored-kind.ts';

export { LEDGER_KINDS } from './ledger-kinds.ts';
export type { StoredKind } from './stored-kind.ts';

export const VAULT_KINDS: readonly StoredKind[] = [
  {
    ...kind(
      'uploads/*',
      'what a party uploaded',
      ['the party, by a link', 'the function that it was uploaded for'],
      [
        'a day from the grant; rows until their order is open; a batch of eUICC data a day from its end; a large request a day from when it was read; a template until its order is taken',
        'the reaper; rows and template: `es2f/order-uploads.ts`',
      ],
    ),
    expiresOnAws: true,
  },
  kind(
    'orders/*/template-*-rows',
    'where the blocks of an order’s rows are, with their hashes',
    ['`prepareProfiles`, `order-rows.ts`', '`order-packs.ts`, `row-slices.ts`'],
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
    [
      '`requestBpp`; of a large one `esbpp/request-plan.ts`',
      '`esbpp/chunk-items.ts`; `esed1/euicc-batches.ts`, of the eUICC data inside of a large one',
    ],
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
    'a signed manifest or the root of one with pages, the second signature over it, and its pages',
    ['`esbpp/signed-manifest.ts`, `esbpp/manifest-tree.ts`', '`esbpp/delivery.ts`, `esbpp/paged-answer.ts`'],
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
    'locked records of jobs, orders, keys that sign and the deployment (I9, I12)',
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
