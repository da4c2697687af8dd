/** A process that claims the keys 0 to COUNT-1 of a ledger, one by one, and prints those it won, comma separated. */
import { SqliteLedger } from '../../shared/ledger/sqlite.ts';

const [, , file, count, claimer] = process.argv;
const ledger = await SqliteLedger.open(file!);
const won: number[] = [];
for (let i = 0; i < Number(count); i++) {
  const claim = {
    put: { partition: 'otpk', sort: `${i}` },
    attributes: { claimer: claimer! },
    when: { revision: 1 },
  };
  if ((await ledger.write(claim)).done) won.push(i);
}
await ledger.close();
process.stdout.write(won.join());
