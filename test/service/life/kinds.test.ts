import { describe, expect, it } from 'vitest';
import type { ItemKey } from '../../../shared/ledger/ledger.ts';
import {
  kindOf,
  LEDGER_KINDS,
  PPK_KINDS,
  type StoredKind,
  VAULT_KINDS,
} from '../../../shared/service/life/kinds.ts';
import {
  deliveryKeysPartition,
  drawStripes,
  ledgerKeys,
  partitions,
  traceStripes,
  wrappedPartition,
} from '../../../shared/service/records/keys.ts';
import {
  objectNames,
  PPK_IDENTITY,
  ppkAuditHead,
  ppkNames,
} from '../../../shared/service/records/object-names.ts';
import { expectTable, table } from '../../docs/tables.ts';

/** What a name is made of, whatever the names of its arguments are. */
const namesOf = (makers: object): string[] =>
  Object.values(makers).map((make: unknown) =>
    typeof make === 'function' ? String(make('a1', 7, 7)) : String(make),
  );

const vaultNames = [
  ...namesOf({ ...objectNames, rowIndex: () => objectNames.rowIndex(objectNames.template('O', 'a1')) }),
  'maps/a1',
];
const ppkVaultNames = [...Object.values(ppkNames('O', 7, 'a1')), PPK_IDENTITY, ppkAuditHead(7), 'anchor-a1'];

const isKey = (value: unknown): value is ItemKey =>
  typeof value === 'object' && value !== null && 'partition' in value;
const ledgerPartitions = [
  ...Object.values({
    ...ledgerKeys,
    auditLine: () => ledgerKeys.auditLine(7),
    waitingLine: () => ledgerKeys.waitingLine(7, 'a1'),
  }).map((make: unknown) => {
    const key: unknown = typeof make === 'function' ? make('a1', 7, 7) : make;
    return isKey(key) ? key.partition : 'no key';
  }),
  ...Object.values(partitions),
  drawStripes('O', 0)[0]!,
  deliveryKeysPartition,
  wrappedPartition('softkey:path=a'),
  traceStripes[0]!,
];

describe.each([
  ['vault', VAULT_KINDS, vaultNames],
  ['PPK vault', PPK_KINDS, ppkVaultNames],
  ['ledger', LEDGER_KINDS, ledgerPartitions],
] as const)('the names of the %s', (store, kinds, names) => {
  it('each have a row that says how long they live and what ends them (I10)', { tags: ['I10'] }, () => {
    expect(names.filter((name) => kindOf(kinds, name) === undefined)).toEqual([]);
  });

  it('leave no row over', () => {
    const used = new Set(names.map((name) => kindOf(kinds, name)));
    expect(kinds.filter((kind) => !used.has(kind)).map((kind) => kind.names)).toEqual([]);
  });

  it('are told of in docs/lives.md', () => {
    expectTable('lives.md', store, lives(kinds));
  });
});

const lives = (kinds: readonly StoredKind[]) =>
  table(
    ['name', 'what', 'written by', 'read by', 'lives', 'ended by'],
    kinds.map((kind) => [
      `\`${kind.names}\``,
      kind.what,
      kind.writtenBy,
      kind.readBy,
      kind.lives,
      kind.endedBy + (kind.expiresOnAws ? '; on AWS a lifecycle rule as well' : ''),
    ]),
  );
