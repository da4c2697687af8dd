/**
 * The floors of the house, from the ground up. A room is a folder or a file; a file imports from its own room and from
 * rooms on floors below, never from a room beside it or above. What has no room here has no place.
 */
export interface Floor {
  readonly name: string;
  readonly rooms: readonly string[];
}

export const FLOORS: readonly Floor[] = [
  {
    name: 'ground',
    rooms: [
      'package.json',
      'shared/status-codes.ts',
      'shared/concurrency.ts',
      'shared/garbage.ts',
      'shared/call-cost.ts',
      'shared/present.ts',
      'shared/own-member.ts',
      'shared/warnings.ts',
    ],
  },
  { name: 'errors', rooms: ['shared/errors.ts', 'shared/ways-out.ts'] },
  { name: 'events', rooms: ['shared/events'] },
  {
    name: 'codec',
    rooms: ['shared/codec', 'shared/aws', 'shared/sqlite', 'shared/no-port.ts', 'shared/upkeep.ts'],
  },
  {
    name: 'crypto and stores',
    rooms: ['shared/crypto', 'shared/ledger', 'shared/vault', 'shared/net'],
  },
  // whoever stores something finds its form and its name here: services, notifier and dispatcher
  { name: 'records', rooms: ['shared/service/records'] },
  { name: 'configuration', rooms: ['shared/runtime-config.ts'] },
  {
    name: 'objects',
    rooms: ['shared/rsp', 'shared/ifpp-draft1', 'shared/pki', 'shared/jobs', 'shared/notify'],
  },
  { name: 'keys', rooms: ['shared/keys'] },
  { name: 'profile', rooms: ['shared/profile'] },
  { name: 'euicc', rooms: ['shared/euicc'] },
  { name: 'service interfaces', rooms: ['shared/service/api'] },
  { name: 'function binding', rooms: ['shared/gsma'] },
  { name: 'audit', rooms: ['shared/service/audit'] },
  { name: 'dual control', rooms: ['shared/service/dual-control'] },
  { name: 'upgrade', rooms: ['shared/service/upgrade'] },
  { name: 'custody', rooms: ['shared/service/custody'] },
  { name: 'context', rooms: ['shared/service/context.ts', 'shared/service/turns.ts'] },
  { name: 'life', rooms: ['shared/service/life'] },
  // what the writes of all rooms above count and list, and the inventory reads
  { name: 'counts', rooms: ['shared/service/counts'] },
  {
    name: 'stock',
    rooms: [
      'shared/service/supply',
      'shared/service/parties',
      'shared/service/trust',
      'shared/service/reports',
    ],
  },
  { name: 'intake', rooms: ['shared/service/keys', 'shared/service/esed1'] },
  { name: 'callbacks', rooms: ['shared/service/callbacks'] },
  { name: 'gate', rooms: ['shared/service/eligibility'] },
  { name: 'evidence', rooms: ['shared/service/evidence'] },
  { name: 'delivery', rooms: ['shared/service/esbpp'] },
  { name: 'orders', rooms: ['shared/service/es2f'] },
  { name: 'inventory', rooms: ['shared/service/inventory'] },
  { name: 'restore', rooms: ['shared/service/restore'] },
  { name: 'verify', rooms: ['shared/service/verify'] },
  { name: 'work', rooms: ['shared/service/work.ts'] },
  { name: 'services for people', rooms: ['shared/services-for-people.ts', 'shared/runtime-settings.ts'] },
  { name: 'runtime', rooms: ['shared/runtime.ts'] },
  { name: 'console', rooms: ['console/server', 'console/build'] },
  { name: 'counterparts', rooms: ['sim'] },
  { name: 'conformance', rooms: ['conform'] },
  { name: 'stations', rooms: ['station'] },
  // the worker is the entry of a thread, which opens a runtime of its own
  { name: 'entries', rooms: ['cli', 'lambdas', 'shared/jobs/worker.ts'] },
  { name: 'site', rooms: ['site'] },
  // what a release is built of begins with the bundle's entry, beside the commands
  { name: 'release', rooms: ['release'] },
  // runs in a browser, and shows artefacts as `smdpf inspect` does
  { name: 'pages', rooms: ['console/web'] },
  { name: 'emulation', rooms: ['localstack'] },
  { name: 'deployment', rooms: ['lib'] },
  { name: 'measures', rooms: ['bench', 'evidence'] },
  { name: 'simulation', rooms: ['world/checker'] },
  { name: 'simulated world', rooms: ['world'] },
];

/** Rooms that import less than their floor would let them: nothing but these rooms and files, and themselves. */
export const APART: Readonly<Record<string, readonly string[]>> = {
  // an error of ours must not cancel out in the counterpart that is to find it
  sim: ['shared/codec/bytes.ts', 'shared/ifpp-draft1/vectors/given.json'],
  // nor in the judge of the other side
  conform: ['sim', 'shared/codec/bytes.ts'],
  // nor in the checker that is to find it
  'world/checker': ['shared/codec/bytes.ts', 'sim'],
};
