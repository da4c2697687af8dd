/**
 * A process that writes to a ledger until it is killed, and tells on standard output, a line each, what was
 * acknowledged: `single N`, `batch N` (items N.0 to N.9) or `pair N` (items N.a and N.b, written together).
 */
import { writeSync } from 'node:fs';
import type { Write } from '../../shared/ledger/ledger.ts';
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';

const [, , file, life] = process.argv;
const ledger = await SqliteLedger.open(file!);
const create = (sort: string): Write => ({
  put: { partition: `life ${life}`, sort },
  attributes: { sort },
  when: 'absent',
});
const say = (line: string) => writeSync(1, `${line}\n`);

async function singles(): Promise<void> {
  for (let n = 0; ; n++) if ((await ledger.write(create(`single ${n}`))).done) say(`single ${n}`);
}

async function batches(): Promise<void> {
  for (let n = 0; ; n++) {
    await ledger.writeMany(Array.from({ length: 10 }, (_, i) => create(`batch ${n}.${i}`)));
    say(`batch ${n}`);
  }
}

async function pairs(): Promise<void> {
  for (let n = 0; ; n++) {
    if ((await ledger.transact([create(`pair ${n}.a`), create(`pair ${n}.b`)])).done) say(`pair ${n}`);
  }
}

await Promise.all([singles(), singles(), batches(), pairs()]);
