/**
 * Whom the documents are for, and in which order they are read: folders and sidebar of the site. A document of docs/ that
 * stands in no group fails test/docs/readers.test.ts, as does one that does not say for whom it is.
 */
export interface Group {
  /** Folder of the site. */
  readonly folder: string;
  readonly title: string;
  /** Documents by their path from the root of the repository. */
  readonly documents: readonly string[];
}

export const GROUPS: readonly Group[] = [
  {
    folder: 'operators',
    title: 'Operators',
    documents: [
      'docs/operators.md',
      'docs/profiles.md',
      'docs/profile-rules.md',
      'docs/console.md',
      'docs/metrics.md',
      'docs/trust.md',
      'docs/release.md',
      'docs/deploy.md',
      'docs/upgrades.md',
      'docs/runbook.md',
      'docs/events.md',
      'docs/cost.md',
      'docs/scale.md',
      'docs/performance.md',
      'CHANGELOG.md',
    ],
  },
  {
    folder: 'factory',
    title: 'Factory and EUM',
    documents: ['docs/factory.md', 'docs/station.md'],
  },
  {
    folder: 'integrators',
    title: 'Integrators',
    documents: [
      'docs/pre-sgp42.md',
      'docs/conform.md',
      'docs/functions.md',
      'sdk/typescript/README.md',
      'sdk/python/README.md',
      'sdk/bruno/README.md',
    ],
  },
  {
    folder: 'auditors',
    title: 'Auditors',
    documents: ['docs/audit.md', 'docs/keys.md', 'docs/invariants.md', 'docs/lives.md', 'SECURITY.md'],
  },
  {
    folder: 'developers',
    title: 'Developers',
    documents: [
      'CONTRIBUTING.md',
      'docs/architecture.md',
      'docs/flow.md',
      'docs/glossary.md',
      'docs/dependencies.md',
      'docs/simulation.md',
      'docs/performance-record.md',
      'localstack/README.md',
      'CODE_OF_CONDUCT.md',
    ],
  },
];

/** Path of the page of a document within the site, without its ending: `operators/keys`, `integrators/sdk-python`. */
export function pageOf(folder: string, document: string): string {
  const name = document
    .replace(/^docs\//, '')
    .replace(/(?:\/README)?\.md$/, '')
    .replaceAll('/', '-');
  return `${folder}/${name.toLowerCase()}`;
}

/** Every document of the site with its page; README.md is the first one. */
export const PAGES: ReadonlyMap<string, string> = new Map([
  ['README.md', 'index'],
  ...GROUPS.flatMap(({ folder, documents }) =>
    documents.map((document) => [document, pageOf(folder, document)] as const),
  ),
]);
