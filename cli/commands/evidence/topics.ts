import manifest from '../../../package.json' with { type: 'json' };
import { toHex } from '../../../shared/codec/bytes.ts';
import { LOG_EVENTS } from '../../../shared/events/log-events.ts';
import type { Runtime } from '../../../shared/runtime.ts';
import type { ChainedLine } from '../../../shared/service/api/admin.ts';
import { LEDGER_KINDS, PPK_KINDS, VAULT_KINDS } from '../../../shared/service/life/kinds.ts';
import { fits } from '../audit/filter.ts';

/** What a pack is made of: the deployment as it is, the lines of its log, and the results that came with it. */
export interface PackSource {
  readonly runtime: Runtime;
  readonly lines: readonly ChainedLine[];
  /** evidence/out/report.json of the release, where it was given. */
  readonly results: unknown;
}

interface Topic {
  readonly file: string;
  readonly title: string;
  content(source: PackSource): Promise<Readonly<Record<string, unknown>>>;
}

/** The audit's topics in their order: those of GSMA FS.18 as far as they are public. */
export const TOPICS: readonly Topic[] = [
  {
    file: '1-key-management.json',
    title: 'key management',
    content: async ({ runtime, lines }) => ({
      keys: await runtime.keyInventory.list(),
      dualControl: await runtime.dualControl.policy(),
      lines: of(lines, 'key', 'ceremony', 'trust.dppb', 'callback.certificate'),
    }),
  },
  {
    file: '2-roles.json',
    title: 'roles and persons',
    content: async ({ runtime, lines }) => ({
      parties: await runtime.services.parties.list(),
      administrators: (await runtime.dualControl.administrators.list()).map((one) => ({
        ...one,
        publicKey: toHex(one.publicKey),
      })),
      dualControl: await runtime.dualControl.policy(),
      approvals: await runtime.dualControl.approvals(),
      trust: await trustOf(runtime),
      lines: of(lines, 'party', 'administrator', 'dualControl', 'approval', 'trust'),
    }),
  },
  {
    file: '3-data-life-cycle.json',
    title: 'life cycle of data',
    content: async ({ lines }) => ({
      kinds: { vault: VAULT_KINDS, ppkVault: PPK_KINDS, ledger: LEDGER_KINDS },
      events: counted(lines, 'order', 'profile', 'request', 'chunk', 'report', 'euiccData', 'keys'),
    }),
  },
  {
    file: '4-logging.json',
    title: 'logging',
    content: async ({ runtime, lines }) => {
      const problems = [];
      const outside = await runtime.evidence.anchor.read();
      for await (const { sequence, problem } of runtime.audit.verify(outside?.heads))
        if (problem !== undefined) problems.push({ sequence, problem });
      return {
        head: await runtime.audit.head(),
        archivedTo: await runtime.audit.archivedTo(),
        keptInPpkVault: await runtime.audit.anchoredHeads(),
        keptOutside: outside ?? 'not configured',
        timeSource: runtime.evidence.clock.source ?? 'not configured',
        holds: problems.length === 0,
        problems,
        events: counted(lines),
        lines: of(lines, 'clock'),
      };
    },
  },
  {
    file: '5-incidents.json',
    title: 'incidents',
    content: async ({ lines }) => ({
      alarms: Object.entries(LOG_EVENTS)
        .filter(([, { level }]) => level !== 'info')
        .map(([event, row]) => ({ event, when: row.when, ...('todo' in row && { todo: row.todo }) })),
      refusedCalls: counted(lines, 'call'),
      lines: of(lines, 'trust.eum.revoked', 'trust.euicc.revoked', 'trust.ci.removed', 'party.revoked'),
    }),
  },
  {
    file: '6-business-continuity.json',
    title: 'business continuity',
    content: async ({ runtime, lines }) => {
      const { frozen, restored } = (await runtime.standing.record()) ?? { frozen: undefined, restored: 0 };
      return { frozen: frozen ?? 'no', restored, lines: of(lines, 'ledger', 'callback.replayed') };
    },
  },
  {
    file: '7-network.json',
    title: 'network',
    content: async ({ runtime }) => ({ configuration: withoutSecrets(runtime.config) }),
  },
  {
    file: '8-software-life-cycle.json',
    title: 'life cycle of software',
    content: async ({ results }) => ({
      name: manifest.name,
      version: manifest.version,
      node: process.versions.node,
      openssl: process.versions.openssl,
      dependencies: manifest.dependencies,
      results: results ?? 'not given: npm run evidence makes them, --results brings them',
    }),
  },
];

const of = (lines: readonly ChainedLine[], ...event: string[]) =>
  lines.filter((line) => fits({ event }, line));

/** How many lines of each event; of all where none is named. */
function counted(lines: readonly ChainedLine[], ...event: string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const line of event.length === 0 ? lines : of(lines, ...event))
    counts[line.event] = (counts[line.event] ?? 0) + 1;
  return counts;
}

async function trustOf({ trust }: Runtime) {
  const { crls, ...listing } = await trust.list();
  // a number of a list is wider than a number of JSON
  return { ...listing, crls: crls.map(({ number, ...crl }) => ({ ...crl, number: number.toString() })) };
}

/** The secret of transfer links is the only value of a configuration that is one; keys and PINs stand there by name. */
const withoutSecrets = ({ transferSecret, ...config }: Runtime['config']) => ({
  ...config,
  ...(transferSecret !== undefined && { transferSecret: 'kept back' }),
});
