import { expect, it } from 'vitest';
import { scanAllSpread } from '../../../shared/ledger/scan.ts';
import { SqliteLedger } from '../../../shared/ledger/sqlite.ts';
import { BLOCK, drawStripes, ledgerKeys } from '../../../shared/service/records/keys.ts';

it('draws of positions that follow each other, as lanes have them, are spread over the partitions of their block', async () => {
  const ledger = await SqliteLedger.open(':memory:', { spreads: true });
  const positions = Array.from({ length: 96 }, (_, n) => BLOCK + n);
  await ledger.writeMany(
    positions.map((from) => ({
      put: ledgerKeys.orderDraw('ORDER', from, 'a'.repeat(24)),
      attributes: { from },
      when: 'absent' as const,
    })),
  );
  const partitions = drawStripes('ORDER', 1);
  for (const partition of partitions) {
    const { items } = await ledger.query(partition);
    expect(items).toHaveLength(positions.length / partitions.length);
  }
  expect(partitions).toHaveLength(4);
  const read = await scanAllSpread(ledger, partitions);
  expect(read.map(({ attributes }) => attributes.from)).toEqual(positions);
  await ledger.close();
});
