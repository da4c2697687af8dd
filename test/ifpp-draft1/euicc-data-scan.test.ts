import { describe, expect, it } from 'vitest';
import { type Bytes, concat } from '../../shared/codec/bytes.ts';
import { tlv } from '../../shared/codec/tlv.ts';
import { MAX_SLICES, scanEuiccDataBatch } from '../../shared/ifpp-draft1/euicc-data-scan.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';
import { ingestRecord } from '../../shared/service/records/ingest.ts';
import { ledgerKeys } from '../../shared/service/records/keys.ts';
import { refusalOf } from '../support/refusal.ts';

const ENTRY = tlv(0x30, Buffer.of(0x80, 0));
const MAKERS = tlv(0xa7, tlv(0x0c, Buffer.from('2.999.30')));

/** A batch of so many entries of four octets, in slices of three. */
const scan = (entries: number) => scanEntries(Array.from({ length: entries }, () => ENTRY));

async function scanEntries(entries: readonly Bytes[]) {
  const list = tlv(0xa6, concat(...entries));
  const batch = tlv(0xff60, list, MAKERS);
  async function* octets() {
    for (let at = 0; at < batch.length; at += 9_000) yield batch.subarray(at, at + 9_000);
  }
  return await scanEuiccDataBatch(octets(), batch.length - list.length - MAKERS.length, 3);
}

describe('the slices of a batch of eUICC data', { tags: ['DPFF10'] }, () => {
  it('are bounded in number, since where they lie is one record', async () => {
    const { entries, sliceOffsets } = await scan(3 * MAX_SLICES);
    expect([entries, sliceOffsets.length]).toEqual([3 * MAX_SLICES, MAX_SLICES + 1]);
    expect(await refusalOf(scan(3 * MAX_SLICES + 1))).toMatchObject({
      code: 'tooLarge',
      message: `the batch has more than ${3 * MAX_SLICES} entries`,
    });
  });

  it('have room for an entry above the limit, which is refused by itself, but not for one that crowds the others out', async () => {
    const long = tlv(0x30, Buffer.alloc(300_000));
    const { entries, sliceOffsets } = await scanEntries([ENTRY, long, ENTRY, ENTRY]);
    const first = sliceOffsets[0]!;
    expect([entries, sliceOffsets.map((offset) => offset - first)]).toEqual([
      4,
      [0, 2 * ENTRY.length + long.length, 3 * ENTRY.length + long.length],
    ]);
    expect(await refusalOf(scanEntries([ENTRY, tlv(0x30, Buffer.alloc(2_000_000))]))).toMatchObject({
      code: 'tooLarge',
      message: expect.stringMatching(
        /^item 1 has 2000005 octets, more than the \d+ that are left of \d+ for 3 items/,
      ),
    });
  });

  it('fit into their record where there are as many as may be, and entries that occur twice', async () => {
    const ledger = await SqliteLedger.open(':memory:');
    try {
      const attributes = ingestRecord.to({
        party: '2.999.40',
        batchId: 'ab'.repeat(16),
        batch: { name: 'euicc-data/some', version: '00000001', size: 2 ** 30, sha256: 'ab'.repeat(32) },
        suite: 'p256',
        ciPkId: new Uint8Array(20),
        eumChain: 'ab'.repeat(32),
        euiccInfo2: new Uint8Array(4_096),
        takenAt: 1_795_359_600_123,
        frame: {
          deviceMakers: Array.from({ length: 100 }, () => '2.999.30'),
          entries: 500 * MAX_SLICES,
          sliceSize: 500,
          sliceOffsets: Array.from({ length: MAX_SLICES + 1 }, (_, i) => 2 ** 30 - 1 - MAX_SLICES + i),
          sliceHashes: new Uint8Array(16 * MAX_SLICES),
          duplicates: Array.from({ length: 1_000 }, (_, i) => 4_999_000 + i),
        },
      });
      const key = ledgerKeys.ingest('some');
      expect((await ledger.write({ put: key, attributes, when: 'absent' })).done).toBe(true);
    } finally {
      await ledger.close();
    }
  });
});
